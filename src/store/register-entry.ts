import { z } from 'zod'
import { decodeBase64 } from '../core/merkle/strict-text.ts'
import type { RegisterEntry } from '../ports/checkpoint-register.ts'

const lineShape = z.strictObject({
  origin: z.string().min(1),
  treeSize: z.int().min(0),
  rootHash: z.string(),
})

/** An entry as it is kept where there are no columns: one line of JSON. */
export function registerLine({ origin, treeSize, rootHash }: RegisterEntry): string {
  return `${JSON.stringify({ origin, treeSize, rootHash: rootHash.toString('base64') })}\n`
}

/** @throws if the text is anything else. */
export function parseRegisterLine(text: string): RegisterEntry {
  const { origin, treeSize, rootHash } = lineShape.parse(JSON.parse(text))
  const bytes = decodeBase64(rootHash)
  if (bytes?.length !== 32) throw new TypeError('not a root hash')
  return { origin, treeSize, rootHash: bytes }
}

export function isSameEntry(a: RegisterEntry | undefined, b: RegisterEntry | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.origin === b.origin && a.treeSize === b.treeSize && a.rootHash.equals(b.rootHash)
}

/** @throws RangeError if `to` would not grow, or be of another log. */
export function checkGrowth(from: RegisterEntry | undefined, to: RegisterEntry): void {
  if (from && (to.origin !== from.origin || to.treeSize <= from.treeSize))
    throw new RangeError('a register only grows, for one log')
}
