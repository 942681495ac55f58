import { createHash, randomBytes } from 'node:crypto'
import { mintActionToken, mintPromise } from '../../src/broker/mint-action-token.ts'
import { canonicalJson } from '../../src/core/canonical-json.ts'
import { amountOf } from '../../src/core/decision/amount-of.ts'
import { bodyDigest, type CallKind } from '../../src/core/execution/action-token.ts'
import { importVerificationKeys } from '../../src/core/execution/compact-jws.ts'
import { type SkillReceiptVerdict, verifySkillReceipt } from '../../src/core/execution/skill-receipt.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/core/json-value.ts'
import { manifestDigest } from '../../src/core/manifest/canonical-manifest.ts'
import { loadManifest } from '../../src/core/manifest/loaded-manifest.ts'
import {
  endpointOf,
  findAction,
  type Manifest,
  type ManifestAction,
} from '../../src/core/manifest/manifest.ts'
import type { Signer } from '../../src/ports/signer.ts'

export const ISSUER = 'https://broker.example'
export const NOW_MS = 1_800_000_000_000

export interface SkillRequest {
  readonly action: string
  readonly args: JsonObject
  /** The same key means the same action; a fresh one unless given. */
  readonly key?: string
  readonly executionId?: string
  readonly kind?: CallKind
  readonly userId?: string
  /** What the token says was permitted, where a test makes it differ from the arguments. */
  readonly amountMinor?: number
  readonly keptUntilMs?: Readonly<Record<string, number>>
}

export interface PreparedCall {
  readonly url: string
  readonly token: string
  readonly body: string
}

export type SkillClient = ReturnType<typeof createSkillClient>

let count = 0

/** Calls a skill as the broker does: canonical bytes, an action token for exactly these, the broker's key in place. */
export function createSkillClient(signer: Signer, manifest: Manifest, nowMs: () => number) {
  const loaded = loadManifest(manifestDigest(manifest), manifest)

  async function prepare(request: SkillRequest): Promise<PreparedCall> {
    const declared = findAction(manifest, request.action)
    if (!declared) throw new Error(`no action ${request.action}`)
    count += 1
    const brokerKey = keyOf(request.key ?? `fresh ${count}`)
    const args = withKey(declared, request.args, brokerKey)
    const body = canonicalJson(args)
    const amount = amountOf(declared, args)
    if (!amount.ok) throw new Error(amount.code)
    const leafHash = randomBytes(32)
    const promise = await mintPromise(signer, {
      issuer: ISSUER,
      logOrigin: 'broker.example/log',
      leafHash,
      mergeByMs: nowMs() + 60_000,
    })
    const permitted = amount.amount && { ...amount.amount, ...amountOverride(request) }
    const token = await mintActionToken(
      signer,
      {
        issuer: ISSUER,
        endpoint: endpointOf(manifest, declared),
        kind: request.kind ?? 'action',
        skillId: manifest.skill,
        action: request.action,
        manifestDigest: loaded.digest,
        userId: request.userId ?? 'usr_pairwise',
        brokerKey,
        executionId: request.executionId ?? `exe ${brokerKey}`,
        body: Buffer.from(body),
        ...(permitted ? { amount: permitted } : {}),
        leafHash,
        promise,
        retainUntilMs: request.keptUntilMs ?? {},
      },
      nowMs(),
    )
    return { url: endpointOf(manifest, declared), token, body }
  }

  const send = ({ url, token, body }: PreparedCall) =>
    fetch(url, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    })

  return {
    prepare,
    send,
    call: async (request: SkillRequest) => send(await prepare(request)),
    /** The answer's body when it fits the result schema of the manifest; anything else fails the test. */
    async result(request: SkillRequest): Promise<JsonObject> {
      const answer = await send(await prepare(request))
      const body: JsonValue = JSON.parse(await answer.text())
      if (answer.status !== 200)
        throw new Error(`${request.action}: ${answer.status} ${JSON.stringify(body)}`)
      const checked = loaded.actions.get(request.action)?.result.check(body)
      if (!checked?.ok || !isJsonObject(body))
        throw new Error(`${request.action}: ${JSON.stringify(checked)}`)
      return body
    },
    /** Verifies a receipt as the broker does, with nothing but the manifest. */
    verifyReceipt(
      receipt: unknown,
      about: { executionId: string; body: string; action: string },
    ): SkillReceiptVerdict {
      return verifySkillReceipt(String(receipt), importVerificationKeys(manifest.runtimeKeys), {
        executionId: about.executionId,
        bodyDigest: bodyDigest(Buffer.from(about.body)),
        skillId: manifest.skill,
        action: about.action,
        dispatchedAtMs: nowMs(),
        nowMs: nowMs(),
      })
    },
  }
}

export function keyOf(name: string): string {
  return createHash('sha256').update(name).digest('base64url')
}

function withKey(declared: ManifestAction, args: JsonObject, brokerKey: string): JsonObject {
  const takesKey = JSON.stringify(declared.input).includes('"idempotency_key"')
  return takesKey ? { ...args, idempotency_key: brokerKey } : args
}

function amountOverride({ amountMinor }: SkillRequest): { amountMinor?: number } {
  return amountMinor === undefined ? {} : { amountMinor }
}
