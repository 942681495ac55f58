import { z } from 'zod'

/** The span over which a budget counts. Weeks are ISO weeks; calendar spans are in the user's time zone. */
export const windowShape = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('per_action') }),
  z.strictObject({
    kind: z.literal('rolling'),
    ms: z
      .int()
      .min(1000)
      .max(400 * 86_400_000),
  }),
  z.strictObject({ kind: z.literal('calendar'), period: z.enum(['day', 'week', 'month']) }),
  z.strictObject({ kind: z.literal('lifetime') }),
])
export type BudgetWindow = z.infer<typeof windowShape>

const limit = z.int().min(0)
const optionalAction = z.string().max(48).optional()

/** What may be spent (minor units of one currency), or how often something may be done, in one window. */
export const budgetLimitShape = z.discriminatedUnion('measure', [
  z.strictObject({
    measure: z.literal('amount'),
    currency: z.string().regex(/^[A-Z]{3}$/),
    window: windowShape,
    limit,
    /** Only this action counts; without it every action of the scope does. */
    action: optionalAction,
  }),
  z.strictObject({ measure: z.literal('count'), window: windowShape, limit, action: optionalAction }),
])
export type BudgetLimit = z.infer<typeof budgetLimitShape>
