import { z } from 'zod'
import { constraintShape, grantTermsShape } from '../core/grant/terms.ts'
import { ACTION_NAME } from '../core/manifest/manifest.ts'
import { plainText, refuseOddTexts } from './plain-text.ts'

const terms = grantTermsShape.shape

/** What an agent asks for. What it leaves out is filled in as narrowly as makes sense. */
export const consentRequestShape = z
  .strictObject({
    skill: terms.skill,
    /** May be left out only to renew a grant, whose terms are taken then. */
    actions: z
      .array(
        z.strictObject({
          name: z.string().regex(ACTION_NAME),
          constraints: z.array(constraintShape).max(32).optional(),
        }),
      )
      .min(1)
      .max(64)
      .optional(),
    budgets: terms.budgets.optional(),
    askFirst: terms.askFirst.optional(),
    unasked: terms.unasked.optional(),
    categories: terms.categories.optional(),
    recipients: terms.recipients.optional(),
    retentionDays: terms.retentionDays.optional(),
    deployments: terms.deployments.optional(),
    oneTime: terms.oneTime.optional(),
    expiresAtMs: terms.expiresAtMs.optional(),
    sharesBudget: terms.sharesBudget.optional(),
    /** The agent's own words, shown as its claim. */
    purpose: plainText(300).optional(),
    /** A grant of this agent that a new manifest has outdated in part. */
    renewsGrantId: z.string().max(64).optional(),
  })
  .superRefine(refuseOddTexts)
  .refine((wish) => wish.actions !== undefined || wish.renewsGrantId !== undefined, {
    path: ['actions'],
    message: 'name the actions, or the grant to renew',
  })

export type ConsentWish = z.infer<typeof consentRequestShape>
export type RequestConsent = ConsentWish & { userId: string; agentId: string }
