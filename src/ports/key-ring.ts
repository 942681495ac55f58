import type { KeyPurpose, Signer } from './signer.ts'

export type RetireOutcome = 'retired' | 'key_is_current' | 'key_unknown'

/** The broker's keys while it runs: they sign, and can be replaced without a restart. */
export interface KeyRing extends Signer {
  /** Makes a new current key; the old one stays published for what it signed. Returns the new key's id. */
  rotate(purpose: KeyPurpose, nowMs: number): Promise<string>
  /** Stops publishing a key that was rotated out: whatever it signed no longer verifies. */
  retire(purpose: KeyPurpose, kid: string, nowMs: number): Promise<RetireOutcome>
}
