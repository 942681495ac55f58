import { z } from 'zod'
import type { JsonValue } from '../core/json-value.ts'

/** AuthZEN 1.0 section 5: unknown members are ignored everywhere, so that later versions are understood. */
const text = z.string().min(1).max(256)
const json = z.custom<JsonValue>((value) => value !== undefined).meta({ description: 'Any JSON.' })
const properties = z.record(z.string().max(256), json)
const optionalProperties = { properties: properties.optional() }

export const subjectShape = z.object({ type: text, id: text, ...optionalProperties })
export const actionShape = z.object({ name: text, ...optionalProperties })
export const resourceShape = z.object({ type: text, id: text, ...optionalProperties })

export const contextShape = z
  .object({
    agent: text.optional().meta({ description: 'The agent that is to act: client_id of its access token.' }),
    deployment: text.optional().meta({ description: 'The model deployment it says it runs on.' }),
    session: text.optional().meta({ description: 'The agent’s session: sid of its access token.' }),
    arguments: properties.optional().meta({
      description: 'The arguments of the action, exactly. Nothing is taken from properties then.',
    }),
  })
  .meta({ description: 'Further members are ignored.' })

/** What is searched for is known by its type; an id that is sent along is ignored. */
export const searchedShape = z.object({ type: text, ...optionalProperties })

export const evaluationShape = z.object({
  subject: subjectShape,
  action: actionShape,
  resource: resourceShape,
  context: contextShape.optional(),
})

/** What a whole batch may say for all of its items; parts of an entity are allowed here. */
export const defaultsShape = z.object({
  subject: subjectShape.partial().optional(),
  action: actionShape.partial().optional(),
  resource: resourceShape.partial().optional(),
  context: contextShape.optional(),
})

export const SEMANTICS = ['execute_all', 'deny_on_first_deny', 'permit_on_first_permit'] as const
export type Semantic = (typeof SEMANTICS)[number]

/** Items of one batch at most; each is a decision of its own. */
export const BATCH_MOST = 50

export const evaluationsShape = defaultsShape.extend({
  evaluations: z.array(json).max(BATCH_MOST).optional(),
  options: z.object({ evaluations_semantic: z.enum(SEMANTICS).optional() }).optional(),
})

/** One decision; only of a single one more is said than the standard asks for. */
export const decisionShape = z.strictObject({
  decision: z.boolean(),
  context: z.strictObject({ reason: z.string() }).optional(),
})
