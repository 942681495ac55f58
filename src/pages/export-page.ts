import type { Broker } from '../broker/broker.ts'
import { exportPerson } from '../broker/export-person.ts'
import { type ExportPlace, exportCursor, parseExportPlace } from '../broker/export-place.ts'
import type { CheckpointPublisher } from '../broker/publish-checkpoint.ts'
import type { JsonValue } from '../core/json-value.ts'
import { plainJson } from '../core/manifest/manifest-change.ts'
import type { Page } from './page.ts'

type Deps = { readonly broker: Broker; readonly publisher: Pick<CheckpointPublisher, 'newest'> }

export const EXPORT_PATH = '/security/export'
/** Pages of the API in one file; whoever has more finds in it where the next file is. */
const PAGES_MOST = 40

/** Everything the broker holds about whoever is signed in, as a file. Takes a step-up, though it changes nothing. */
export function exportPages({ broker, publisher }: Deps): Page[] {
  return [
    {
      method: 'get',
      path: EXPORT_PATH,
      who: 'user',
      needsStepUp: () => true,
      async run({ person, query: { cursor } }) {
        let place: ExportPlace | null | undefined = cursor === undefined ? null : parseExportPlace(cursor)
        if (!person || place === undefined) return { kind: 'not_found' }
        const pages: JsonValue[] = []
        do {
          const { next, ...page } = await exportPerson(broker, publisher, { userId: person.id, place })
          pages.push(plainJson(page))
          place = next
        } while (place !== null && pages.length < PAGES_MOST)
        const next = place === null ? null : `${EXPORT_PATH}?cursor=${exportCursor(place)}`
        return { kind: 'json', body: { pages, next } }
      },
    },
  ]
}
