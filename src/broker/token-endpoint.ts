import { z } from 'zod'
import type { ManifestLink } from '../core/manifest/manifest.ts'
import { parseStrictJsonBytes } from '../core/strict-json.ts'
import type { LinkClient } from '../ports/link-clients.ts'
import type { SkillReply } from '../ports/skill-caller.ts'
import type { Broker } from './broker.ts'

/** What an authorization server gave for a user. */
export type LinkTokens = {
  readonly accessToken: string
  readonly refreshToken: string | null
  /** Seconds from now; null when nobody said. */
  readonly expiresInSeconds: number | null
}

export type TokenAnswer =
  | { readonly kind: 'tokens'; readonly tokens: LinkTokens }
  /** The authorization server said no; for good where it says that the grant is no longer valid (RFC 6749 section 5.2). */
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'unavailable' }

const ANSWER_WITHIN_MS = 10_000
const ANSWER_BYTES_MOST = 65_536
const YEAR_SECONDS = 31_536_000

/** RFC 6749 appendix A.12: visible ASCII, and so nothing that could end a header or hide in a page. */
const token = z.string().regex(/^[\x21-\x7e]{1,4096}$/)
const tokensShape = z.looseObject({
  access_token: token,
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.int().min(0).max(YEAR_SECONDS).optional(),
  refresh_token: token.optional(),
})
const errorShape = z.looseObject({ error: z.string().regex(/^[a-z_]{1,40}$/) })

/** Asks the token endpoint a manifest names, through the egress guard; whatever comes back is held to its shape. */
export async function askForTokens(
  broker: Pick<Broker, 'skills'>,
  link: ManifestLink,
  client: LinkClient,
  parameters: Readonly<Record<string, string>>,
): Promise<TokenAnswer> {
  const reply = await post(broker, link.tokenEndpoint, client, parameters)
  if (reply.kind !== 'answered') return { kind: 'unavailable' }
  const json = parseStrictJsonBytes(reply.body)
  if (reply.status === 200 && json.ok) {
    const parsed = tokensShape.safeParse(json.value)
    if (!parsed.success) return { kind: 'refused', code: 'token_answer_broken' }
    const { access_token, refresh_token, expires_in } = parsed.data
    return {
      kind: 'tokens',
      tokens: {
        accessToken: access_token,
        refreshToken: refresh_token ?? null,
        expiresInSeconds: expires_in ?? null,
      },
    }
  }
  const refusal = json.ok ? errorShape.safeParse(json.value) : undefined
  if (reply.status >= 400 && reply.status < 500 && refusal?.success)
    return { kind: 'refused', code: refusal.data.error }
  return { kind: 'unavailable' }
}

/** Tells the authorization server that a token is no longer wanted (RFC 7009). @returns whether it said yes. */
export async function revokeToken(
  broker: Pick<Broker, 'skills'>,
  endpoint: string,
  client: LinkClient,
  token: string,
): Promise<boolean> {
  const reply = await post(broker, endpoint, client, { token })
  return reply.kind === 'answered' && reply.status === 200
}

function post(
  { skills }: Pick<Broker, 'skills'>,
  endpoint: string,
  { clientId, clientSecret }: LinkClient,
  parameters: Readonly<Record<string, string>>,
): Promise<SkillReply> {
  const basic =
    clientSecret === undefined
      ? undefined
      : Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString('base64')
  const form = new URLSearchParams({
    ...parameters,
    ...(basic === undefined ? { client_id: clientId } : {}),
  })
  return skills.call({
    endpoint,
    method: 'POST',
    body: Buffer.from(form.toString()),
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
      ...(basic === undefined ? {} : { authorization: `Basic ${basic}` }),
    },
    timeoutMs: ANSWER_WITHIN_MS,
    maxResponseBytes: ANSWER_BYTES_MOST,
  })
}
