import type { JsonValue } from '../core/json-value.ts'
import type { PartName } from '../core/log/leaf.ts'
import { openPart } from '../core/log/part.ts'
import { parseStrictJsonBytes } from '../core/strict-json.ts'
import type { Broker } from './broker.ts'

/**
 * Opens one sealed part of an event; undefined when there is none or its key is destroyed.
 *
 * @param userId whom the event is about, where that is known: it is found in one place then.
 */
export async function openEventPart(
  broker: Broker,
  eventId: string | null,
  part: PartName,
  userId?: string,
): Promise<JsonValue | undefined> {
  if (eventId === null) return undefined
  const row = await broker.store.read(async (tx) => tx.log.part(eventId, part, userId))
  if (!row) return undefined
  const key = await broker.cells.find(row.cellId)
  const bytes = key && openPart(key, eventId, part, row)
  if (!bytes) return undefined
  const parsed = parseStrictJsonBytes(bytes)
  return parsed.ok ? parsed.value : undefined
}
