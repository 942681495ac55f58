import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, onTestFinished } from 'vitest'

/** A folder of one test's own, deleted when the test is over. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A folder of a whole test file's own, deleted when all its tests are over. */
export function tempFolderOfSuite(): string {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
