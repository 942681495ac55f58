import type { ErasureRow, PartPlace } from '../ports/erasure-rows.ts'
import type { Broker } from './broker.ts'
import { inErasureUnit } from './erasure-unit.ts'

const AT_ONCE = 500

/**
 * Leaves of each part only that it was there, and which erasure took it. What was marked before is passed over by those
 * who look for parts, so doing it again marks the rest.
 *
 * @returns how many the log speaks of, and how many are marked by now.
 */
export async function markParts(
  broker: Broker,
  erasure: ErasureRow,
  pages: AsyncIterable<readonly PartPlace[]>,
): Promise<Pick<ErasureRow, 'partsTotal' | 'partsDone'>> {
  for await (const page of pages) {
    for (let from = 0; from < page.length; from += AT_ONCE) {
      const some = page.slice(from, from + AT_ONCE)
      await inErasureUnit(broker, erasure, async (tx, row) => {
        for (const place of some) await tx.personalRows.markErased(place, erasure.id)
        await tx.erasures.update({ ...row, partsDone: row.partsDone + some.length })
      })
    }
  }
  return inErasureUnit(broker, erasure, async (_tx, { partsTotal, partsDone }) => ({ partsTotal, partsDone }))
}
