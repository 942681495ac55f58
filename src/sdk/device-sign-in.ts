import { z } from 'zod'
import { type AgentFault, type Answered, failed, succeeded } from './agent-fault.ts'
import type { ConsentWish } from './agent-request.ts'
import { type AgentTokens, askForTokens, tokensFrom } from './agent-tokens.ts'
import { boundedText } from './bounded-body.ts'
import type { DpopKey } from './dpop-key.ts'
import { type Pause, pause } from './pause.ts'

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
const CONSENT_DETAIL_TYPE = 'countersign_consent_request'
const ANSWER_BYTES_MOST = 65_536
const ANSWER_MS_MOST = 30_000
const SLOWER_MS = 5_000

export type DeviceSignInOptions = {
  readonly broker: string
  /** What the program calls itself; its user sees it as a claim. */
  readonly clientName: string
  /** A client id from before; the program registers itself without one. */
  readonly clientId?: string
  /** Asked in the same breath as the connection, each on a page of its own. */
  readonly consents?: readonly ConsentWish[]
  /** Binds the tokens to this key. */
  readonly dpop?: DpopKey
  readonly fetch?: typeof fetch
  readonly now?: () => number
  readonly pause?: Pause
}

/** What to show to the user, who opens it on any device. */
export type DeviceSignIn = {
  readonly clientId: string
  readonly userCode: string
  readonly verificationUri: string
  /** With the code in it, for a link or a QR code. */
  readonly verificationUriComplete: string
  readonly expiresAtMs: number
  /** Waits until the user has answered. `access_denied` and `expired_token` are codes of RFC 8628. */
  wait(options?: { readonly signal?: AbortSignal }): Promise<Answered<AgentTokens>>
}

const registered = z.object({ client_id: z.string().min(1) })
const authorized = z.object({
  device_code: z.string().min(1),
  user_code: z.string().min(1),
  verification_uri: z.url(),
  verification_uri_complete: z.url().optional(),
  expires_in: z.number().min(1),
  interval: z.number().min(0).optional(),
})

/**
 * Starts to connect an agent that has no browser (RFC 8628): it shows a code, and its user says yes elsewhere. The yes
 * connects it and, unless consents were asked for, allows it nothing.
 */
export async function startDeviceSignIn(options: DeviceSignInOptions): Promise<Answered<DeviceSignIn>> {
  const { broker, dpop } = options
  const request = options.fetch ?? fetch
  const now = options.now ?? Date.now
  const clientId = options.clientId ?? (await register(request, broker, options.clientName))
  if (typeof clientId !== 'string') return clientId

  const details = (options.consents ?? []).map((wish) => ({ type: CONSENT_DETAIL_TYPE, request: wish }))
  const fields = new URLSearchParams({
    client_id: clientId,
    ...(details.length === 0 ? {} : { authorization_details: JSON.stringify(details) }),
  })
  const asked = await post(request, `${broker}/oauth/device_authorization`, fields, authorized)
  if (!asked.ok) return asked
  const { device_code, user_code, verification_uri, expires_in, interval = 5 } = asked.value
  const expiresAtMs = now() + expires_in * 1000
  const waiting = { request, now, pause: options.pause ?? pause, dpop, broker, clientId }
  return succeeded({
    clientId,
    userCode: user_code,
    verificationUri: verification_uri,
    verificationUriComplete: asked.value.verification_uri_complete ?? verification_uri,
    expiresAtMs,
    wait: ({ signal } = {}) =>
      poll({ ...waiting, deviceCode: device_code, intervalMs: interval * 1000, expiresAtMs, signal }),
  })
}

type Polling = {
  readonly request: typeof fetch
  readonly now: () => number
  readonly pause: Pause
  readonly dpop: DpopKey | undefined
  readonly broker: string
  readonly clientId: string
  readonly deviceCode: string
  readonly intervalMs: number
  readonly expiresAtMs: number
  readonly signal: AbortSignal | undefined
}

async function poll(polling: Polling): Promise<Answered<AgentTokens>> {
  const { request, now, dpop, broker, clientId, deviceCode, signal } = polling
  const fields = { grant_type: DEVICE_GRANT, client_id: clientId, device_code: deviceCode }
  for (let waitMs = polling.intervalMs; now() < polling.expiresAtMs; ) {
    await polling.pause(waitMs, signal)
    if (signal?.aborted) return failed('aborted')
    const asked = await askForTokens(request, `${broker}/oauth/token`, dpop, now, fields, signal)
    if (asked.kind === 'issued') {
      return succeeded(tokensFrom(asked.issued, { clientId, refreshToken: null }, now()))
    }
    if (asked.kind === 'refused') {
      if (asked.error === 'slow_down') waitMs += SLOWER_MS
      else if (asked.error !== 'authorization_pending') return refusedBy(asked.error)
    }
  }
  return refusedBy('expired_token')
}

async function register(
  request: typeof fetch,
  broker: string,
  clientName: string,
): Promise<string | { readonly ok: false; readonly fault: AgentFault }> {
  const about = {
    client_name: clientName,
    redirect_uris: [],
    response_types: [],
    grant_types: [DEVICE_GRANT, 'refresh_token'],
  }
  const answer = await post(request, `${broker}/oauth/register`, JSON.stringify(about), registered)
  return answer.ok ? answer.value.client_id : answer
}

async function post<Shape extends z.ZodType>(
  request: typeof fetch,
  url: string,
  body: string | URLSearchParams,
  shape: Shape,
): Promise<Answered<z.infer<Shape>>> {
  try {
    const response = await request(url, {
      method: 'POST',
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_MS_MOST),
      headers: {
        accept: 'application/json',
        ...(typeof body === 'string' ? { 'content-type': 'application/json' } : {}),
      },
    })
    const value: unknown = JSON.parse((await boundedText(response, ANSWER_BYTES_MOST)) ?? 'null')
    const parsed = shape.safeParse(value)
    if (response.ok && parsed.success) return succeeded(parsed.data)
    const told = z.object({ error: z.string() }).safeParse(value)
    return told.success ? refusedBy(told.data.error) : failed('unexpected_answer', response.status)
  } catch {
    return failed('unreachable')
  }
}

/** An error code of OAuth, as it is. */
function refusedBy(error: string) {
  const detail = 'The authorization server refused.'
  const fault = { code: error, status: 400, detail, faults: [], retryAfterMs: null, facts: {} }
  return { ok: false, fault } as const
}
