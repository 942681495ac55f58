/** What clients may sign with: proofs of possession and who they are. Ed25519 is EdDSA's newer name (RFC 9864). */
export const SIGNING_ALGORITHMS = ['Ed25519', 'EdDSA', 'ES256'] as const
