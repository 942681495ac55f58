import { mintAccessToken } from '../broker/mint-access-token.ts'
import type { Caller } from '../core/tokens/access-token.ts'
import { createIds } from '../keys/new-id.ts'
import type { Signer } from '../ports/signer.ts'

export type MintToken = (caller: Caller) => Promise<string>

/** Mints development tokens with the broker's own key, as `countersign token` does. */
export function openTokenMint(signer: Signer, issuer: string): MintToken {
  return (caller) => mintAccessToken(signer, { issuer, caller, nowMs: Date.now(), isDevelopment: true })
}

export const newId = createIds(Date.now)
