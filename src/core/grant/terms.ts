import { z } from 'zod'
import { ACTION_NAME, SKILL_ID } from '../manifest/manifest.ts'
import { budgetLimitShape } from '../spending/budget-limit.ts'

const pointer = z
  .string()
  .max(256)
  .regex(/^(\/([^~/]|~0|~1)*)+$/)
const scalar = z.union([z.string().max(500), z.number(), z.boolean()])

/** One limit on an argument, by JSON Pointer; `*` stands for every element. Unknown kinds are refused. */
export const constraintShape = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('equals'), pointer, value: scalar }),
  z.strictObject({ kind: z.literal('one_of'), pointer, values: z.array(scalar).min(1).max(100) }),
  z.strictObject({
    kind: z.literal('range'),
    pointer,
    min: z.number().optional(),
    max: z.number().optional(),
  }),
  z.strictObject({ kind: z.literal('length'), pointer, max: z.int().min(0) }),
  z.strictObject({ kind: z.literal('absent'), pointer }),
  z.strictObject({
    kind: z.literal('origin'),
    pointer,
    origins: z.array(z.string().max(300)).min(1).max(50),
  }),
  z.strictObject({ kind: z.literal('path_prefix'), pointer, prefix: z.string().max(300) }),
  z.strictObject({
    kind: z.literal('mail_domain'),
    pointer,
    domains: z.array(z.string().max(253)).min(1).max(50),
  }),
  /** Covers every field of the action that the manifest marks as a recipient, whatever it is called. */
  z.strictObject({
    kind: z.literal('saved_recipient'),
    recipientIds: z.array(z.string().max(64)).max(50).optional(),
  }),
])
export type Constraint = z.infer<typeof constraintShape>

const actionName = z.string().regex(ACTION_NAME)
/** A rule without `actions` covers every action of the grant that changes or spends something. */
const covered = { actions: z.array(actionName).max(64).optional() }
const currency = z.string().regex(/^[A-Z]{3}$/)

/** When the user wants to be asked although the grant allows it. All rules that match must be satisfied. */
export const askFirstShape = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('always'), ...covered }),
  z.strictObject({ kind: z.literal('above_amount'), currency, amountMinor: z.int().min(0), ...covered }),
  z.strictObject({
    kind: z.literal('above_unasked'),
    currency,
    amountMinor: z.int().min(0),
    windowMs: z.int().min(1000),
    ...covered,
  }),
  z.strictObject({ kind: z.literal('new_recipient'), ...covered }),
  /** Minutes of the user's day; outside [fromMinute, toMinute) is asked. Spans midnight when from > to. */
  z.strictObject({
    kind: z.literal('outside_hours'),
    fromMinute: z.int().min(0).max(1439),
    toMinute: z.int().min(0).max(1440),
    ...covered,
  }),
  z.strictObject({ kind: z.literal('after_untrusted'), ...covered }),
  z.strictObject({
    kind: z.literal('too_many'),
    count: z.int().min(0),
    windowMs: z.int().min(1000),
    ...covered,
  }),
])
export type AskFirstRule = z.infer<typeof askFirstShape>

/**
 * Everything a grant allows; also what an agent asks for and what a user narrows. Absent is always the
 * narrowest reading: no action, no category, no recipient, no retention.
 */
export const grantTermsShape = z.strictObject({
  skill: z.string().max(64).regex(SKILL_ID),
  actions: z
    .array(z.strictObject({ name: actionName, constraints: z.array(constraintShape).max(32) }))
    .min(1)
    .max(64)
    // Two entries for one action would leave open which constraints hold.
    .refine((actions) => new Set(actions.map(({ name }) => name)).size === actions.length, {
      message: 'names an action twice',
    }),
  budgets: z.array(budgetLimitShape).max(16),
  askFirst: z.array(askFirstShape).max(32),
  /** Rules that hold by default and that the user switched off, for actions named here. */
  unasked: z
    .array(z.strictObject({ rule: z.enum(['always', 'after_untrusted']), action: actionName }))
    .max(64),
  /** Data categories of results that the agent and its model may see. */
  categories: z.array(z.string().max(48)).max(64),
  /** Recipients, by the manifest's ids, that may get data. */
  recipients: z.array(z.string().max(64)).max(16),
  /** Days each memory class may be kept; a class not listed may not be kept. */
  retentionDays: z.record(z.string().max(48), z.int().min(0).max(3650)),
  /** Model deployments the agent may run on: its registered ones, or only those listed. */
  deployments: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('registered') }),
    z.strictObject({ kind: z.literal('only'), ids: z.array(z.string().max(64)).min(1).max(16) }),
  ]),
  oneTime: z.boolean(),
  expiresAtMs: z.int().min(0),
  /** Whether the agent may be told how much of its budgets is left. */
  sharesBudget: z.boolean(),
})
export type GrantTerms = z.infer<typeof grantTermsShape>

/** `suspended`: the store was restored from a backup, and its user has not said yes once more. */
export type GrantStatus = 'active' | 'suspended' | 'paused' | 'revoked' | 'used_up' | 'replaced'
