import { z } from 'zod'

/** What a skill or an agent is told about authority. Codes are stable. */
export const AUTHORITY_EVENT_TYPES = [
  'authority.revoked',
  'authority.suspended',
  'authority.restored',
] as const
export type AuthorityEventType = (typeof AUTHORITY_EVENT_TYPES)[number]

const id = z.string().min(1).max(128)

/** Where the status of a grant is read at any time (Token Status List). */
export const statusReferenceShape = z.strictObject({ uri: z.string().max(400), idx: z.int().min(0) })
export type StatusReference = z.infer<typeof statusReferenceShape>

/**
 * An event as it is sent. It names nobody: a skill knows its user by the pairwise id of its publisher, an agent its own
 * grants by their ids.
 */
export const authorityEventShape = z.strictObject({
  /** The same each time it is sent again. */
  id,
  issuer: z.string().max(300),
  type: z.enum(AUTHORITY_EVENT_TYPES),
  /** When the change was durable. Unix milliseconds. */
  atMs: z.int().min(0),
  /** To a skill: which skill, and its user by the publisher's pairwise id; `everything` when nothing of it is left. */
  skill: id.optional(),
  user: id.optional(),
  /** To an agent: its own id. */
  agent: id.optional(),
  everything: z.boolean(),
  /** The grants it is about; their ids are told to agents alone. */
  grants: z.array(z.strictObject({ id: id.optional(), status: statusReferenceShape.nullable() })).max(1_000),
  /** To a skill: executions that were permitted before and whose outcome is not known yet. */
  executions: z.array(id).max(1_000),
})
export type AuthorityEvent = z.infer<typeof authorityEventShape>
