import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { StartRefused, startBroker } from '../src/compose.ts'
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

  it('tells the way from a log that lost leaves to a new one, and goes on under no other name', async () => {
    const folder = tempFolder()
    await (await startBroker(configFor(folder))).stop()
    const register = join(folder, 'checkpoint-register.json')
    const entry = JSON.parse(readFileSync(register, 'utf8'))
    writeFileSync(register, `${JSON.stringify({ ...entry, treeSize: entry.treeSize + 5 })}\n`)

    const behind = await refusalOf(configFor(folder))
    expect(behind.message).toMatch(/never go on with this log/)
    expect(behind.message).toMatch(/countersign restore/)
    const renamed = configFor(folder, { COUNTERSIGN_LOG_ORIGIN: 'broker.example/log/2' })
    expect((await refusalOf(renamed)).message).toMatch(
      /put the register and the database of one log together/,
    )
  })

  it.each([
    ['a file', 'data'],
    ['a folder below a file', 'data/below'],
  ])('names the setting when the data folder is %s', async (_, path) => {
    const parent = tempFolder()
    writeFileSync(join(parent, 'data'), '')
    const error = await refusalOf(configFor(join(parent, path)))
    expect(error).toBeInstanceOf(StartRefused)
    expect(error.message).toContain(join(parent, path))
    expect(error.message).toMatch(/COUNTERSIGN_DATA/)
  })

  it('names the setting when the port is taken, or the host is not of this machine', async () => {
    const running = await startBroker(configFor(tempFolder()))
    const { port } = new URL(running.url)
    const taken = await refusalOf(configFor(tempFolder(), { COUNTERSIGN_PORT: port }))
    await running.stop()
    expect(taken).toBeInstanceOf(StartRefused)
    expect(taken.message).toMatch(new RegExp(`port ${port} .*COUNTERSIGN_PORT`))
    const elsewhere = await refusalOf(
      configFor(tempFolder(), {
        COUNTERSIGN_HOST: '192.0.2.1',
        COUNTERSIGN_PUBLIC_URL: 'https://broker.example',
      }),
    )
    expect(elsewhere).toBeInstanceOf(StartRefused)
    expect(elsewhere.message).toMatch(/192\.0\.2\.1 .*COUNTERSIGN_HOST/)
  })

  it('refuses a database of another version', async () => {
    const folder = tempFolder()
    await (await startBroker(configFor(folder))).stop()
    const db = new Database(join(folder, 'broker.sqlite'))
    db.exec(`UPDATE __drizzle_migrations SET hash = 'x' || hash`)
    db.close()
    expect((await refusalOf(configFor(folder))).message).toMatch(/was made by another version/)
  })
})
