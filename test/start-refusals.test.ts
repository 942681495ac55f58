import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startBroker } from '../src/compose.ts'
import { type Config, readConfig } from '../src/config.ts'
import { KeyFileError } from '../src/keys/key-file.ts'
import { tempFolder } from './support/temp-folder.ts'

function configFor(folder: string, env: Record<string, string> = {}): Config {
  const read = readConfig({
    COUNTERSIGN_DATA: folder,
    COUNTERSIGN_PORT: '0',
    COUNTERSIGN_LOG_LEVEL: 'silent',
    ...env,
  })
  if (!read.ok) throw new Error(read.faults.join('\n'))
  return read.config
}

async function refusalOf(config: Config): Promise<Error> {
  const started = await startBroker(config).catch((error: unknown) => error)
  if (started instanceof Error) return started
  throw new Error('it started')
}

describe('a start', () => {
  it('refuses a folder whose keys are lost, and makes no new ones in their place', async () => {
    const folder = tempFolder()
    await (await startBroker(configFor(folder))).stop()
    rmSync(join(folder, 'keys'), { recursive: true })
    for (let tries = 0; tries < 2; tries += 1) {
      const error = await refusalOf(configFor(folder))
      expect(error instanceof KeyFileError && error.code).toBe('private_key_missing')
      expect(existsSync(join(folder, 'keys')) ? readdirSync(join(folder, 'keys')) : []).toEqual([])
    }
  })
})
