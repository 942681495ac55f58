import { z } from 'zod'
import { type ManifestEndpoint, urlOf } from './endpoint.ts'

/** Where a skill is told that authority was taken back, or given again. */
export const eventsShape = z.strictObject({
  /** Appended to the base URL of an http skill, and to the origin of an MCP server; events are POSTed there. */
  path: z
    .string()
    .max(200)
    .regex(/^(\/[A-Za-z0-9_.~-]+)+$/, 'must be a plain path such as /countersign/events'),
})

/** What of a manifest says where. */
type Told = { readonly events?: z.infer<typeof eventsShape> | undefined; readonly endpoint: ManifestEndpoint }

/** The URL a skill's events are sent to; undefined where it can be told nothing. */
export function eventsUrlOf({ events, endpoint }: Told): string | undefined {
  const place = urlOf(endpoint)
  if (!events || place === null) return undefined
  if (endpoint.transport === 'http') return place.replace(/\/$/, '') + events.path
  return URL.canParse(place) ? new URL(place).origin + events.path : undefined
}
