import { randomBytes } from 'node:crypto'
import { openPart, sealPart } from '../core/log/part.ts'
import type { Broker } from './broker.ts'

const PART = 'text'
/** 9999-12-31: what is kept until it is taken away has no day of its own. */
const NO_DAY = 2_932_896

/**
 * Seals a personal text that is no part of a leaf, such as an address or a token, under a cell of its own. Destroying
 * that cell destroys the text wherever copies of it lie. Sealing the text anew takes another cell.
 *
 * @returns one line of printable characters; keep it as it is.
 */
export async function sealText(
  broker: Pick<Broker, 'cells'>,
  owner: { userId: string; skillId: string },
  text: string,
): Promise<string> {
  // Each data key seals once, so the id is new each time.
  const id = randomBytes(16).toString('base64url')
  const [cell] = await broker.cells.ensure([{ ...owner, part: `kept:${id}`, expiryDay: NO_DAY }])
  if (!cell) throw new Error('no cell was made')
  const { commitment, sealed } = sealPart(cell.key, id, PART, Buffer.from(text))
  return [cell.cellId, id, commitment.toString('base64url'), sealed.toString('base64url')].join('.')
}

/** Opens a sealed text; undefined once its cell was destroyed. */
export async function openText(broker: Pick<Broker, 'cells'>, line: string): Promise<string | undefined> {
  const [cellId, id, commitment, sealed] = line.split('.')
  if (!cellId || !id || !commitment || !sealed) return undefined
  const key = await broker.cells.find(cellId)
  const opened =
    key &&
    openPart(key, id, PART, {
      commitment: Buffer.from(commitment, 'base64url'),
      sealed: Buffer.from(sealed, 'base64url'),
    })
  return opened?.toString('utf8')
}

/** The cell a text is sealed under. */
export function cellOfText(line: string): string {
  return line.split('.')[0] ?? ''
}

/** Destroys sealed texts for ever. */
export async function destroyTexts(broker: Pick<Broker, 'cells'>, lines: readonly string[]): Promise<void> {
  await broker.cells.destroy(lines.map(cellOfText))
}
