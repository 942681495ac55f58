import { statSync } from 'node:fs'
import type { KeyRing } from '../ports/key-ring.ts'
import type { Signer } from '../ports/signer.ts'
import { createSigner } from './jose-signer.ts'
import { KeyFileError, openKeyFolder, retireKey, rotateKey } from './key-file.ts'

/** How often, at most, the folder is looked at for what another node changed in it. */
const LOOK_EVERY_MS = 500

/**
 * Signs with the keys of a folder, and puts a change of the folder into effect at once; one that another process made
 * within half a second, when a key is next used.
 *
 * @param mayCreate as for `openKeyFolder`.
 * @throws KeyFileError as `openKeyFolder` does.
 */
export function openKeyRing(
  folder: string,
  nowMs: number,
  mayCreate = true,
  monotonicMs: () => number = () => performance.now(),
): KeyRing {
  let signer = createSigner(openKeyFolder(folder, nowMs, mayCreate))
  let changedMs = statSync(folder).mtimeMs
  let lookedMs = monotonicMs()

  /** What is half written, or open to others for a moment, is looked at again; until then the keys known go on. */
  function now(): Signer {
    if (monotonicMs() - lookedMs < LOOK_EVERY_MS) return signer
    lookedMs = monotonicMs()
    try {
      const { mtimeMs } = statSync(folder)
      if (mtimeMs === changedMs) return signer
      signer = createSigner(openKeyFolder(folder, nowMs, false))
      changedMs = mtimeMs
    } catch {
      return signer
    }
    return signer
  }

  return {
    sign: (purpose, header, payload) => now().sign(purpose, header, payload),
    signBytes: (purpose, bytes) => now().signBytes(purpose, bytes),
    currentKey: (purpose) => now().currentKey(purpose),
    jwks: () => now().jwks(),
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
