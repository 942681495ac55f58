import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openReachKeys } from '../../src/keys/reach-keys.ts'

/** The keys of one test file, made as at a first start. */
export const REACH_KEYS = makeKeys()

function makeKeys() {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-reach-'))
  const keys = openReachKeys(join(folder, 'reach-keys.json'))
  rmSync(folder, { recursive: true })
  return keys
}
