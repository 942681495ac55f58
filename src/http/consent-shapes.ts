import { z } from 'zod'
import { grantTermsShape } from '../core/grant/terms.ts'
import { timeMs } from './path-id.ts'

/** What a person reads, in both languages, and the digest the log keeps of all of it. */
export const shownShape = z.looseObject({
  en: z.looseObject({}).meta({ description: 'Sentences in English, section by section.' }),
  zh: z.looseObject({}).meta({ description: 'The same in 简体中文.' }),
  digest: z.string(),
})

/** How a grant is used. Null: not as far back as it matters; and it has ended, or ends sooner by itself. */
export const grantUseShape = z.strictObject({
  lastUsedAtMs: timeMs.nullable(),
  unusedExpiresAtMs: timeMs.nullable(),
})

export const grantSummaryShape = z.strictObject({
  grantId: z.string(),
  agentId: z.string(),
  skill: z.string(),
  state: z.enum(['active', 'suspended', 'paused', 'expired', 'revoked', 'used_up', 'replaced']),
  terms: grantTermsShape,
  revision: z.int(),
  createdAtMs: timeMs,
  changedAtMs: timeMs,
})

export const budgetUsageShape = z.looseObject({
  owner: z.enum(['grant', 'agent', 'skill', 'user']),
  budget: z.looseObject({}),
  used: z.strictObject({ held: z.int(), captured: z.int(), left: z.int() }).nullable(),
})

export const cancelReportShape = z.strictObject({
  actionId: z.string(),
  outcome: z.enum(['cancelled', 'refused', 'unclear', 'not_available', 'frozen']),
})

export const revocationShape = z.strictObject({
  /** Its receipt is at `/v1/revocations/{id}`. */
  revocationId: z.string(),
  revocation: z.strictObject({
    atMs: timeMs,
    grants: z.array(z.string()),
    consentRequests: z.array(z.string()),
    approvals: z.array(z.string()),
    unsettled: z.array(z.looseObject({ actionId: z.string(), status: z.string() })),
    commitments: z.array(z.looseObject({ actionId: z.string() })),
  }),
  /** What was tried to end each call in flight, and what the skill said. */
  cancelled: z.array(cancelReportShape),
})
