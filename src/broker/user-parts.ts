import { createHmac } from 'node:crypto'
import { erasedBy, GONE_AT_RESTORE } from '../core/erasure/erasure-steps.ts'
import type { PartPlace } from '../ports/erasure-rows.ts'
import type { Broker } from './broker.ts'

const AT_ONCE = 2_000

/**
 * Every sealed part about one user, in the order of events, a page at a time: parts of all users are looked through,
 * because no decision pays for an index that only this needs.
 */
export async function* userParts(broker: Broker, userId: string): AsyncGenerator<PartPlace[]> {
  const own = await ownEvents(broker, userId)
  for (let after = ''; ; ) {
    const page = await broker.store.read(async (tx) => tx.personalRows.partsAfter(after, AT_ONCE))
    // A page ends within an event at worst: all of that event is looked at with the next one.
    const last = page.at(-1)?.eventId
    const isWhole = page.length < AT_ONCE
    const whole = isWhole ? page : page.filter(({ eventId }) => eventId !== last)
    yield whole.filter(
      (part) => !isErased(part) && (part.userId === userId || (part.userId === '' && own.has(part.eventId))),
    )
    const next = whole.at(-1)?.eventId
    if (isWhole || next === undefined) return
    after = next
  }
}

/** Parts of versions before say of nobody whom they are about; those of actions are known by their events. */
async function ownEvents(broker: Broker, userId: string): Promise<ReadonlySet<string>> {
  const rows = await broker.store.read(async (tx) => tx.personalRows.actionEvents(userId))
  return new Set(
    rows.flatMap(({ eventId, settleEventId }) => [eventId, settleEventId]).filter((id) => id !== null),
  )
}

/** How many parts of how many events are meant, and a commitment to which: HMAC-SHA256 over the sorted event ids. */
export async function countParts(
  pages: AsyncIterable<readonly PartPlace[]>,
  salt: Buffer,
): Promise<{ events: number; parts: number; affected: string }> {
  const hmac = createHmac('sha256', salt).update('countersign/v1/erasure\n')
  let [events, parts, newest] = [0, 0, '']
  for await (const page of pages) {
    for (const { eventId } of page) {
      parts += 1
      if (eventId === newest) continue
      events += 1
      newest = eventId
      hmac.update(`${eventId}\n`)
    }
  }
  return { events, parts, affected: hmac.digest('base64url') }
}

/** Destroys the cells of every sealed part about a user. Doing it again is harmless. */
export async function destroyUserParts(broker: Broker, userId: string): Promise<void> {
  for await (const page of userParts(broker, userId)) {
    const cells = new Set(page.map(({ cellId }) => cellId))
    if (cells.size > 0) await broker.cells.destroy([...cells])
  }
}

/** Whether a part's place says only that it was there. */
function isErased({ cellId }: PartPlace): boolean {
  return erasedBy(cellId) !== undefined || cellId === GONE_AT_RESTORE
}
