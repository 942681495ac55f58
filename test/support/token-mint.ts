import { mintAccessToken } from '../../src/broker/mint-access-token.ts'
import type { TokenCaller } from '../../src/core/tokens/access-token.ts'
import { createIds } from '../../src/keys/new-id.ts'
import type { Signer } from '../../src/ports/signer.ts'

export type MintToken = (caller: TokenCaller) => Promise<string>

/** Mints development tokens with the broker's own key, as `countersign token` does. */
export function openTokenMint(signer: Signer, issuer: string): MintToken {
  return (caller) => mintAccessToken(signer, { issuer, caller, nowMs: Date.now(), isDevelopment: true })
}

export const newId = createIds(Date.now)
