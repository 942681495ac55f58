import { z } from 'zod'
import { type ManifestEndpoint, urlOf } from './endpoint.ts'

/** Where a skill is told to delete what it remembers, and how long it promises to take. */
export const deletionShape = z.strictObject({
  /** Appended to the base URL of an http skill, and to the origin of an MCP server; the notice is POSTed there. */
  path: z
    .string()
    .max(200)
    .regex(/^(\/[A-Za-z0-9_.~-]+)+$/, 'must be a plain path such as /deletions'),
  /** Until everything a notice asks for is gone, and acknowledged under the skill's signature. 30 days at most. */
  withinSeconds: z.int().min(60).max(2_592_000),
})
export type ManifestDeletion = z.infer<typeof deletionShape>

/** The URL of a skill's deletion notices, which is their audience too; undefined where it can be told nothing. */
export function deletionUrlOf({
  deletion,
  endpoint,
}: {
  readonly deletion?: ManifestDeletion | undefined
  readonly endpoint: ManifestEndpoint
}): string | undefined {
  const place = urlOf(endpoint)
  if (!deletion || place === null) return undefined
  if (endpoint.transport === 'http') return place.replace(/\/$/, '') + deletion.path
  return URL.canParse(place) ? new URL(place).origin + deletion.path : undefined
}
