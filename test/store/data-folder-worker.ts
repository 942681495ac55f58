import { writeSync } from 'node:fs'
import { claimDataFolder } from '../../src/store/data-folder.ts'

/** Claims the folder and says so, or says why it could not; a claim is held until the process is ended. */
const [folder = '', startedAtMs = '0'] = process.argv.slice(2)
try {
  claimDataFolder(folder, Number(startedAtMs))
  writeSync(1, 'claimed\n')
  process.stdin.resume()
} catch (error) {
  writeSync(1, `${error instanceof Error ? `${error.name}: ${error.message}` : error}\n`)
}
