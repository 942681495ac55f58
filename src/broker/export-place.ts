/** Where an export goes on. The first page has no place. */
export type ExportPlace =
  | { readonly part: 'memory'; readonly before: { readonly atMs: number; readonly id: string } | null }
  | { readonly part: 'actions'; readonly before: { readonly atMs: number; readonly id: string } | null }
  | { readonly part: 'events'; readonly after: string }

const MEMORY = /^memory(?:\.(\d{1,15})\.([A-Za-z0-9_]{1,64}))?$/
const ACTIONS = /^actions(?:\.(\d{1,15})\.([A-Za-z0-9_]{1,64}))?$/
const EVENTS = /^events(?:\.([A-Za-z0-9_]{1,64}))?$/

/** Reads a cursor; undefined for one we never made. */
export function parseExportPlace(cursor: string): ExportPlace | undefined {
  const memory = MEMORY.exec(cursor)
  if (memory) {
    const [, atMs, id] = memory
    return { part: 'memory', before: id === undefined ? null : { atMs: Number(atMs), id } }
  }
  const actions = ACTIONS.exec(cursor)
  if (actions) {
    const [, atMs, id] = actions
    return { part: 'actions', before: id === undefined ? null : { atMs: Number(atMs), id } }
  }
  const events = EVENTS.exec(cursor)
  return events ? { part: 'events', after: events[1] ?? '' } : undefined
}

/** The cursor of a place. It names a place in the caller's own data, so it reaches into nobody else's. */
export function exportCursor(place: ExportPlace): string {
  if (place.part === 'events') return place.after === '' ? 'events' : `events.${place.after}`
  return place.before === null ? place.part : `${place.part}.${place.before.atMs}.${place.before.id}`
}
