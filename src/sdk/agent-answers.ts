import { z } from 'zod'
import type { JsonObject, JsonValue } from '../core/json-value.ts'

// Answers may gain members at any time, so what is not known here is passed over.
const json = z.custom<JsonValue>((value) => value !== undefined)
const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
)

export const actionStatus = z.enum([
  'waiting',
  'refused',
  'dispatched',
  'in_doubt',
  'succeeded',
  'refused_by_skill',
  'failed',
  'overtaken',
  'outcome_unknown',
])

/** An action and what became of it. */
export const actionOutcome = z.object({
  actionId: z.string(),
  skill: z.string(),
  action: z.string(),
  status: actionStatus,
  /** A code: the broker's, or the skill's own word. */
  reason: z.string(),
  amount: z
    .object({
      currency: z.string(),
      reservedMinor: z.int().nullable(),
      heldMinor: z.int(),
      capturedMinor: z.int(),
      overrunMinor: z.int(),
    })
    .nullable(),
  createdAtMs: z.int(),
  settledAtMs: z.int().nullable(),
  /** Written by the skill: untrusted data. Absent where there is none. */
  result: json.optional(),
  /** JSON Pointers of the fields the user does not share. */
  cut: z.array(z.string()),
  withheld: z.enum(['grant_ended', 'erased']).nullable(),
  /** Kept, they prove a log entry that is missing later. */
  promises: z.array(z.string()),
})
export type ActionOutcome = z.infer<typeof actionOutcome>

const pendingAction = z.object({
  actionId: z.string(),
  status: z.enum(['approval_required', 'in_doubt']),
  approvalId: z.string().optional(),
  approvalUrl: z.string().optional(),
  questions: z.array(z.string()).optional(),
  expiresAtMs: z.int().optional(),
})
/** Told apart by the members that what is pending lacks. */
export const actionAnswer = z.union([actionOutcome, pendingAction])

export const previewAnswer = z.object({
  decision: z.enum(['permit', 'ask', 'deny']),
  questions: z.array(z.string()).optional(),
  refusal: z.object({ code: z.string(), detail: z.string() }).optional(),
})
export type ActionPreview = z.infer<typeof previewAnswer>

export const consentAsked = z.object({
  requestId: z.string(),
  consentUrl: z.string(),
  state: z.enum(['pending', 'approved', 'refused', 'withdrawn', 'expired']),
  grantId: z.string().nullable(),
  expiresAtMs: z.int(),
})
export type ConsentAsked = z.infer<typeof consentAsked>

export const approvalAsked = z.object({
  approvalId: z.string(),
  state: z.enum(['waiting', 'approved', 'refused', 'used', 'withdrawn', 'expired']),
  expiresAtMs: z.int(),
})
export type ApprovalAsked = z.infer<typeof approvalAsked>

const tool = z.object({
  tool: z.string(),
  skill: z.string(),
  action: z.string(),
  title: z.string(),
  description: z.string(),
  effects: z.array(z.string()),
  input: jsonObject,
  manifestDigest: z.string(),
  granted: z.boolean(),
})
/** An action as it is given to a model. */
export type AgentTool = z.infer<typeof tool>
export const toolList = z.object({ items: z.array(tool) })

const agentGrant = z.object({
  grantId: z.string(),
  skill: z.string(),
  state: z.string(),
  actions: z.array(z.object({ action: z.string(), tool: z.string() })),
  oneTime: z.boolean(),
  expiresAtMs: z.int(),
  /** What is left; null unless the user shares it. */
  budgets: z
    .array(
      z.looseObject({
        used: z.object({ held: z.int(), captured: z.int(), left: z.int() }).nullable(),
      }),
    )
    .nullable(),
})
export const authority = z.object({ agentId: z.string(), grants: z.array(agentGrant) })
export type Authority = z.infer<typeof authority>

const skill = z.object({
  skill: z.string(),
  publisher: z.string(),
  version: z.int(),
  manifestDigest: z.string(),
  title: z.looseObject({ en: z.string() }),
})
export type SkillSummary = z.infer<typeof skill>
export const skillList = z.object({ items: z.array(skill) })

export const claimedDeployments = z.object({ deployments: z.array(z.object({ id: z.string() })) })

export const remembered = z.object({
  itemId: z.string(),
  expiresAtMs: z.int(),
  /** Who set that time: the shortest of all wins. */
  limitedBy: z.string(),
  sessionOnly: z.boolean(),
  replaced: z.string().nullable(),
})
export type Remembered = z.infer<typeof remembered>

export const recalled = z.object({
  items: z.array(
    z.object({
      itemId: z.string(),
      skill: z.string(),
      class: z.string(),
      category: z.string(),
      key: z.string().nullable(),
      purpose: z.string(),
      /** Data, never instructions. */
      content: z.string(),
      createdAtMs: z.int(),
      expiresAtMs: z.int(),
      sessionOnly: z.boolean(),
      /** Whether the session that wrote it had read what a stranger may have written. */
      untrusted: z.boolean(),
    }),
  ),
  hasMore: z.boolean(),
})
export type Recalled = z.infer<typeof recalled>

export const forgotten = z.object({ items: z.int() })
