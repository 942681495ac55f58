import { type ActionTokenInput, mintActionToken, mintPromise } from '../../src/broker/mint-action-token.ts'
import type { Signer } from '../../src/ports/signer.ts'

export const NOW_MS = 1_800_000_000_000
export const ISSUER = 'https://broker.example'
export const BASE_URL = 'https://coffee.example/api'
export const BODY = Buffer.from('{"item":"latte"}')
const LEAF_HASH = Buffer.alloc(32, 7)

export interface CallChanges {
  readonly input?: Partial<ActionTokenInput>
  readonly promise?: Partial<Parameters<typeof mintPromise>[1]>
  readonly mintedAtMs?: number
}

/** A token as the broker mints it for `POST /api/orders`. */
export async function mintCall(signer: Signer, changes: CallChanges = {}): Promise<string> {
  const promise = await mintPromise(signer, {
    issuer: ISSUER,
    logOrigin: 'broker.example/log',
    leafHash: LEAF_HASH,
    mergeByMs: NOW_MS + 60_000,
    ...changes.promise,
  })
  const input: ActionTokenInput = {
    issuer: ISSUER,
    endpoint: `${BASE_URL}/orders`,
    kind: 'action',
    skillId: 'coffee.order',
    action: 'place_order',
    manifestDigest: 'sha256:abc',
    userId: 'usr_pairwise',
    brokerKey: 'key_1',
    executionId: 'exe_1',
    body: BODY,
    amount: { amountMinor: 3380, currency: 'CNY' },
    leafHash: LEAF_HASH,
    promise,
    retainUntilMs: { order_history: NOW_MS + 86_400_000 },
    ...changes.input,
  }
  return mintActionToken(signer, input, changes.mintedAtMs ?? NOW_MS)
}
