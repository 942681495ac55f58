import type { KeyRing } from '../ports/key-ring.ts'
import { createSigner } from './jose-signer.ts'
import { KeyFileError, openKeyFolder, retireKey, rotateKey } from './key-file.ts'

/**
 * Signs with the keys of a folder, and puts a change of the folder into effect at once.
 *
 * @param mayCreate as for `openKeyFolder`.
 * @throws KeyFileError as `openKeyFolder` does.
 */
export function openKeyRing(folder: string, nowMs: number, mayCreate = true): KeyRing {
  let signer = createSigner(openKeyFolder(folder, nowMs, mayCreate))
  return {
    sign: (purpose, header, payload) => signer.sign(purpose, header, payload),
    signBytes: (purpose, bytes) => signer.signBytes(purpose, bytes),
    currentKey: (purpose) => signer.currentKey(purpose),
    jwks: () => signer.jwks(),
    async rotate(purpose, atMs) {
      const kid = rotateKey(folder, purpose, atMs)
      signer = createSigner(openKeyFolder(folder, atMs, false))
      return kid
    },
    async retire(purpose, kid, atMs) {
      try {
        retireKey(folder, purpose, kid, atMs)
      } catch (error) {
        if (!(error instanceof KeyFileError)) throw error
        if (error.code !== 'key_is_current' && error.code !== 'key_unknown') throw error
        return error.code
      }
      signer = createSigner(openKeyFolder(folder, atMs, false))
      return 'retired'
    },
  }
}
