import { z } from 'zod'

const WAIT_SECONDS_MOST = 30

/** How long an agent lets its call be held until a person answers, in seconds. */
export const waitQuery = z.strictObject({
  wait: z
    .string()
    .regex(/^\d{1,2}$/)
    .refine((text) => Number(text) <= WAIT_SECONDS_MOST, { message: `at most ${WAIT_SECONDS_MOST}` })
    .optional()
    .meta({ description: `Seconds to wait for the answer, at most ${WAIT_SECONDS_MOST}.` }),
})

export function withinMsOf({ wait }: { readonly wait?: string | undefined }): number {
  return Number(wait ?? 0) * 1000
}

/** The page a consent request is answered on. It works for its user in any browser, and for nobody else. */
export function consentUrlOf(issuer: string, requestId: string): string {
  return `${issuer}/consents/${requestId}`
}

/** The page one exact action is answered on. */
export function approvalUrlOf(issuer: string, approvalId: string): string {
  return `${issuer}/approvals/${approvalId}`
}
