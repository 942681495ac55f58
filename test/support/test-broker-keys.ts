import { generateBrokerKey, type KeyFileContent } from '../../src/keys/broker-key.ts'
import { createSigner } from '../../src/keys/jose-signer.ts'
import { KEY_PURPOSES, type Signer } from '../../src/ports/signer.ts'

/** A signer with fresh keys that live in memory only. */
export function createTestSigner(): { signer: Signer; keys: readonly KeyFileContent[] } {
  const keys = KEY_PURPOSES.map((purpose) => generateBrokerKey(purpose, 0))
  const current = new Map(keys.map((key) => [key.cs_purpose, key]))
  return { signer: createSigner({ current, published: keys }), keys }
}
