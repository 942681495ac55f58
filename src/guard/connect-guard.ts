import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import type { JsonObject } from '../core/json-value.ts'
import { readJson } from './broker-answer.ts'
import { type GuardTokens, issuedShape, tokensOf } from './guard-session.ts'

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
const TIMEOUT_MS = 30_000
/** RFC 8628 section 3.5: asked to slow down, a device waits five seconds longer. */
const SLOWER_BY_MS = 5_000

const registeredShape = z.looseObject({ client_id: z.string().min(1).max(300) })
const deviceShape = z.looseObject({
  device_code: z.string().min(1).max(1_000),
  user_code: z.string().min(1).max(20),
  verification_uri: z.string().max(300),
  expires_in: z.int().min(1),
  interval: z.int().min(1).max(60).optional(),
})
const errorShape = z.looseObject({ error: z.string().max(100) })

export type Connected =
  | { readonly kind: 'connected'; readonly tokens: GuardTokens }
  | { readonly kind: 'refused' | 'expired' }

/**
 * Connects this guard to its user's account as an agent of its own (RFC 8628): shows where to answer, and waits. What it
 * wants to be allowed is asked in the same breath.
 *
 * @throws (rejects) where the broker does not answer, or not as an authorization server does.
 */
export async function connectGuard(
  origin: string,
  about: {
    readonly name: string
    readonly wish: JsonObject
    readonly show: (where: { readonly url: string; readonly userCode: string }) => void
    readonly nowMs?: () => number
  },
): Promise<Connected> {
  const { nowMs = Date.now } = about
  const client = registeredShape.parse(
    await posted(origin, '/oauth/register', JSON.stringify(metadataOf(about.name)), 'application/json'),
  )
  const details = [{ type: 'countersign_consent_request', request: about.wish }]
  const device = deviceShape.parse(
    await posted(
      origin,
      '/oauth/device_authorization',
      new URLSearchParams({ client_id: client.client_id, authorization_details: JSON.stringify(details) }),
    ),
  )
  about.show({ url: device.verification_uri, userCode: device.user_code })
  const untilMs = nowMs() + device.expires_in * 1000
  let everyMs = (device.interval ?? 5) * 1000
  while (nowMs() < untilMs) {
    await setTimeout(everyMs)
    const response = await send(
      origin,
      '/oauth/token',
      new URLSearchParams({
        grant_type: DEVICE_GRANT,
        client_id: client.client_id,
        device_code: device.device_code,
      }),
    )
    const body = await readJson(response)
    if (response.status === 200) {
      return { kind: 'connected', tokens: tokensOf(client.client_id, issuedShape.parse(body), nowMs()) }
    }
    const { error } = errorShape.parse(body)
    if (error === 'slow_down') everyMs += SLOWER_BY_MS
    else if (error === 'access_denied') return { kind: 'refused' }
    else if (error === 'expired_token') return { kind: 'expired' }
    else if (error !== 'authorization_pending') throw new Error(`the broker answered ${error}`)
  }
  return { kind: 'expired' }
}

function metadataOf(name: string) {
  return {
    client_name: name,
    redirect_uris: [],
    response_types: [],
    grant_types: [DEVICE_GRANT, 'refresh_token'],
    token_endpoint_auth_method: 'none',
  }
}

async function posted(
  origin: string,
  path: string,
  body: string | URLSearchParams,
  type?: string,
): Promise<unknown> {
  const response = await send(origin, path, body, type)
  if (!response.ok) throw new Error(`${path} answered ${response.status}`)
  return readJson(response)
}

function send(
  origin: string,
  path: string,
  body: string | URLSearchParams,
  type?: string,
): Promise<Response> {
  return fetch(new URL(path, origin), {
    method: 'POST',
    headers: { accept: 'application/json', ...(type === undefined ? {} : { 'content-type': type }) },
    body,
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
}
