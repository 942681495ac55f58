import { z } from 'zod'
import type { Broker } from '../broker/broker.ts'
import { consentRequestShape } from '../broker/consent-wish.ts'
import { defaultTerms } from '../core/grant/default-terms.ts'
import { checkTermsAgainstManifest } from '../core/grant/terms-check.ts'

/** The one `type` of authorization details (RFC 9396): a consent request, as POST /v1/consent-requests takes it. */
export const CONSENT_DETAIL_TYPE = 'countersign_consent_request'
/** Questions one authorization request may bring; a person answers each on a page of its own. */
const DETAILS_MOST = 3

const detailShape = z.strictObject({
  type: z.literal(CONSENT_DETAIL_TYPE),
  /** A connection that is only beginning has nothing to renew. */
  request: consentRequestShape.refine((wish) => wish.renewsGrantId === undefined, {
    path: ['renewsGrantId'],
    message: 'a new connection has no grant to renew',
  }),
})
const detailsShape = z.array(detailShape).min(1).max(DETAILS_MOST)

export type ConsentDetail = z.infer<typeof detailShape>

/** JSON Schema of one entry of `authorization_details`, as it is published. */
export function consentDetailSchema(): unknown {
  return z.toJSONSchema(detailShape, { io: 'input', unrepresentable: 'any' })
}

/** Reads what `checkDetail` let pass. @throws Error for anything else. */
export function readDetails(text: unknown): readonly ConsentDetail[] {
  if (text === undefined) return []
  return detailsShape.parse(typeof text === 'string' ? JSON.parse(text) : text)
}

/**
 * Why a detail is refused before anybody is asked: another form, a skill nobody knows, or terms its manifest cannot
 * meet. Undefined where it may be asked.
 */
export async function detailFault(broker: Broker, detail: unknown): Promise<string | undefined> {
  const parsed = detailShape.safeParse(detail)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    return `${issue?.path.join('/') ?? ''}: ${issue?.message ?? 'is not understood'}`
  }
  const { request } = parsed.data
  return broker.store.read(async (tx) => {
    const skill = await tx.skills.find(request.skill)
    if (!skill?.currentDigest) return 'request/skill: no such skill'
    const { manifest } = await broker.manifests.load(tx, skill.currentDigest)
    const terms = defaultTerms(manifest, { ...request, actions: request.actions ?? [] }, tx.nowMs)
    const [fault] = checkTermsAgainstManifest(terms, manifest, [], tx.nowMs)
    return fault && `request: ${fault.code}`
  })
}
