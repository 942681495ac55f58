import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** What a manifest says of a file. */
export function fileDigest(file: string): { bytes: number; sha256: string } {
  const bytes = readFileSync(file)
  return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('base64url') }
}
