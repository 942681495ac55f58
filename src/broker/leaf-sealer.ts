import { canonicalJson } from '../core/canonical-json.ts'
import type { JsonValue } from '../core/json-value.ts'
import { type LeafContent, leafBytes, PART_NAMES, type PartName } from '../core/log/leaf.ts'
import { sealPart } from '../core/log/part.ts'
import { hashLeaf } from '../core/merkle/tree.ts'
import type { Cell, CellName } from '../ports/cells.ts'
import type { NewLeaf } from '../ports/store.ts'
import type { Broker } from './broker.ts'

const DAY_MS = 86_400_000

/** Turns what happened into a leaf with sealed parts, without waiting: usable inside a transaction. */
export type LeafSealer = (content: LeafContent, atMs: number) => NewLeaf

/** Whose cells a leaf is sealed under. Empty for what concerns no user or no skill. */
export type LeafOwner = { userId: string; skillId: string }

/**
 * Makes sure the cells for a leaf exist durably, before the transaction that seals under them: a leaf whose
 * key was lost in a crash could never be opened.
 */
export async function sealerFor(broker: Broker, owner: LeafOwner): Promise<LeafSealer> {
  const names = cellNames(broker, owner)
  const ready = names.map((name) => broker.cells.peek(name))
  const cells = ready.every((cell) => cell !== undefined)
    ? (ready as Cell[])
    : await broker.cells.ensure(names)
  return (content, atMs) => sealLeaf(broker, owner.userId, cells, content, atMs)
}

function cellNames(broker: Broker, owner: LeafOwner): CellName[] {
  const today = Math.floor(broker.store.now().nowMs / DAY_MS)
  const keep = broker.settings.keepPartsDays
  return PART_NAMES.map((part) => ({ ...owner, part, expiryDay: today + keep[part] }))
}

function sealLeaf(
  broker: Broker,
  userId: string,
  cells: readonly Cell[],
  content: LeafContent,
  atMs: number,
): NewLeaf {
  const eventId = broker.newId('event')
  const commitments: Partial<Record<PartName, string>> = {}
  const parts: NewLeaf['parts'] = []
  PART_NAMES.forEach((part, i) => {
    const value: JsonValue | undefined = content[part]
    const cell = cells[i]
    if (value === undefined || !cell) return
    const sealed = sealPart(cell.key, eventId, part, Buffer.from(canonicalJson(value)))
    commitments[part] = sealed.commitment.toString('base64url')
    parts.push({ part, cellId: cell.cellId, ...sealed })
  })
  const leaf = leafBytes(content, eventId, atMs, broker.settings.policyDigest, commitments)
  return { eventId, userId, leaf, leafHash: hashLeaf(leaf), parts }
}
