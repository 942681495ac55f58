/** What a broker key is for. One key serves one purpose, so a signature can never be taken for another kind. */
export const KEY_PURPOSES = [
  'log',
  'action',
  'access',
  'receipt',
  'promise',
  'notice',
  'status',
  'event',
] as const

export type KeyPurpose = (typeof KEY_PURPOSES)[number]

/** The log key signs notes, the event key HTTP messages (RFC 9421); the others sign compact JWS and nothing else. */
export type TokenPurpose = Exclude<KeyPurpose, 'log' | 'event'>

/** A published Ed25519 key (RFC 8037) with the purpose it is good for. */
export interface PublicBrokerKey {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  readonly x: string
  readonly use: 'sig'
  readonly alg: 'EdDSA'
  /** RFC 7638 thumbprint. */
  readonly kid: string
  readonly cs_purpose: KeyPurpose
}

/** The broker's own signatures. Implementations hold the private keys; nobody else sees them. */
export interface Signer {
  /** Signs a compact JWS with the purpose's current key; `alg` and `kid` are added to the header. */
  sign(purpose: TokenPurpose, header: { readonly typ: string }, payload: object): Promise<string>
  /** Signs raw bytes, as C2SP signed notes and HTTP message signatures need: 64 bytes of Ed25519. */
  signBytes(purpose: 'log' | 'event', bytes: Uint8Array): Promise<Buffer>
  /** The key that signs now. */
  currentKey(purpose: KeyPurpose): PublicBrokerKey
  /** Every key a verifier may still meet: the current ones and those rotated out but not retired. */
  jwks(): { readonly keys: readonly PublicBrokerKey[] }
}
