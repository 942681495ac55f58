import { type KeyObject, randomBytes } from 'node:crypto'
import { openPart, sealPart } from '../core/log/part.ts'
import { type MemoryHead, memoryHeadShape } from '../core/memory/memory-head.ts'
import type { MemoryItemRow } from '../ports/memory-store.ts'

type Whose = Pick<MemoryItemRow, 'id' | 'userId'>
type SealedPart = 'head' | 'content'

const ID_BYTES = 16
const COMMITMENT_BYTES = 32

/** Seals what an item says of itself, and what it holds, under the key of its own cell. */
export function sealMemory(
  key: KeyObject,
  whose: Whose,
  head: MemoryHead,
  content: string,
): Pick<MemoryItemRow, 'head' | 'content'> {
  return {
    head: seal(key, whose, 'head', JSON.stringify(head)),
    content: seal(key, whose, 'content', content),
  }
}

/** Opens what an item says of itself; undefined if the key is another's or anything was changed. */
export function openMemoryHead(
  key: KeyObject,
  row: Whose & Pick<MemoryItemRow, 'head'>,
): MemoryHead | undefined {
  const opened = open(key, row, 'head', row.head)
  if (opened === undefined) return undefined
  return memoryHeadShape.parse(JSON.parse(opened))
}

export function openMemoryContent(
  key: KeyObject,
  row: Whose & Pick<MemoryItemRow, 'content'>,
): string | undefined {
  return open(key, row, 'content', row.content)
}

function seal(key: KeyObject, whose: Whose, part: SealedPart, text: string): Buffer {
  // New each time: a unit of work may be run again, and each data key seals once.
  const id = randomBytes(ID_BYTES)
  const { commitment, sealed } = sealPart(
    key,
    id.toString('base64url'),
    nameOf(whose, part),
    Buffer.from(text),
  )
  return Buffer.concat([id, commitment, sealed])
}

function open(key: KeyObject, whose: Whose, part: SealedPart, bytes: Buffer): string | undefined {
  const id = bytes.subarray(0, ID_BYTES)
  const commitment = bytes.subarray(ID_BYTES, ID_BYTES + COMMITMENT_BYTES)
  const sealed = bytes.subarray(ID_BYTES + COMMITMENT_BYTES)
  return openPart(key, id.toString('base64url'), nameOf(whose, part), { commitment, sealed })?.toString(
    'utf8',
  )
}

/** Ids hold no slash, so that no two parts share a name. */
function nameOf({ userId, id }: Whose, part: SealedPart): string {
  return `memory/${part}/${userId}/${id}`
}
