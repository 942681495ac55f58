import { type KeyObject, randomUUID } from 'node:crypto'
import { resealPart } from '../core/log/part.ts'
import type { Cell } from '../ports/cells.ts'
import type { ErasureRow, PartPlace, ResealedPart } from '../ports/erasure-rows.ts'
import type { Broker } from './broker.ts'
import { inErasureUnit } from './erasure-unit.ts'
import { partsByAgent } from './scope-parts.ts'

const AT_ONCE = 200

/**
 * Keeps what shares a cell with an agent's data under other cells, so that the first ones can be destroyed. Commitments
 * stay what the leaves say. Doing it again goes on with what is still under the first ones.
 */
export async function resealOthers(
  broker: Broker,
  erasure: ErasureRow,
  cells: ReadonlySet<string>,
): Promise<void> {
  const into = new Map<string, Cell>()
  for await (const { others } of partsByAgent(broker, erasure.userId, erasure.scopeId ?? '')) {
    const sharing = others.filter(({ cellId }) => cells.has(cellId))
    await makeMissing(broker, erasure.userId, sharing, into)
    for (let from = 0; from < sharing.length; from += AT_ONCE)
      await resealSome(broker, erasure, sharing.slice(from, from + AT_ONCE), into)
  }
}

/** One new cell for each old one, which expires on the same day. */
async function makeMissing(
  broker: Broker,
  userId: string,
  places: readonly PartPlace[],
  into: Map<string, Cell>,
): Promise<void> {
  const missing = [...new Set(places.map(({ cellId }) => cellId))].filter((cellId) => !into.has(cellId))
  const days = [...(await broker.cells.expiryDays(missing))]
  // Under names of their own, so that they expire as cells of leaves do.
  const made = await broker.cells.ensure(
    days.map(([, expiryDay]) => ({ userId, skillId: '', part: `kept:${randomUUID()}`, expiryDay })),
  )
  days.forEach(([cellId], i) => {
    const cell = made[i]
    if (cell) into.set(cellId, cell)
  })
}

async function resealSome(
  broker: Broker,
  erasure: ErasureRow,
  places: readonly PartPlace[],
  into: ReadonlyMap<string, Cell>,
): Promise<void> {
  const keys = await broker.cells.findAll([...new Set(places.map(({ cellId }) => cellId))])
  const anew: { part: ResealedPart; fromCellId: string }[] = []
  for (const place of places) {
    const sealed = await resealed(broker, place, keys.get(place.cellId), into.get(place.cellId)?.key)
    const cellId = into.get(place.cellId)?.cellId
    if (sealed && cellId !== undefined)
      anew.push({ part: { ...place, cellId, sealed }, fromCellId: place.cellId })
  }
  if (anew.length === 0) return
  await inErasureUnit(broker, erasure, async (tx) => {
    for (const { part, fromCellId } of anew) await tx.personalRows.keepResealed(part, fromCellId)
  })
}

/** Undefined for what does not open: there is nothing to keep of it. */
async function resealed(
  broker: Broker,
  { eventId, part, userId }: PartPlace,
  from: KeyObject | undefined,
  into: KeyObject | undefined,
): Promise<Buffer | undefined> {
  if (!from || !into) return undefined
  const row = await broker.store.read(async (tx) => tx.log.part(eventId, part, userId))
  return row && resealPart(from, into, eventId, part, row)?.sealed
}
