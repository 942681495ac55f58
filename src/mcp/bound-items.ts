import { RESULT_CHARACTERS_MOST } from '../core/bounded-result.ts'
import type { JsonObject } from '../core/json-value.ts'

/** As many of the first items as fit into a result; one at least. */
export function boundItems(
  items: readonly JsonObject[],
  most = RESULT_CHARACTERS_MOST,
): readonly JsonObject[] {
  let size = 0
  const fitting = items.findIndex((item) => {
    size += JSON.stringify(item).length
    return size > most
  })
  return fitting < 0 ? items : items.slice(0, Math.max(1, fitting))
}
