import { spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CheckpointPublisher, openCheckpointPublisher } from '../../src/broker/publish-checkpoint.ts'
import { openLogReader } from '../../src/broker/read-log.ts'
import { parseTilePath } from '../../src/core/merkle/tile.ts'
import { openKeyRing } from '../../src/keys/folder-key-ring.ts'
import { createSigner } from '../../src/keys/jose-signer.ts'
import { openKeyFolder } from '../../src/keys/key-file.ts'
import { openCheckpointRegisterFile } from '../../src/store/checkpoint-register-file.ts'
import { dataFilesIn } from '../../src/store/data-files.ts'
import { appendLeaves } from '../support/append-leaves.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { createTestBroker, NOW_MS, type TestBroker } from '../support/test-broker.ts'

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname
let test: TestBroker
let publisher: CheckpointPublisher
let folder: string
let stop: (() => Promise<void>) | undefined

beforeEach(async () => {
  folder = tempFolder()
  const signer = createSigner(openKeyFolder(dataFilesIn(folder).keys, NOW_MS))
  test = await createTestBroker({ folder, signer })
  publisher = openCheckpointPublisher(test.broker, openCheckpointRegisterFile(dataFilesIn(folder).register))
})
afterEach(async () => {
  await stop?.()
  stop = undefined
  await test.close()
})

function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], { cwd: folder, env: { PATH: process.env.PATH } })
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk) => {
      out += chunk
    })
    child.stderr.on('data', (chunk) => {
      err += chunk
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out, err }))
  })
}

/** Serves a broker's log on loopback, as the HTTP surface does. */
async function serve(served: () => { broker: TestBroker; publisher: CheckpointPublisher }): Promise<string> {
  const server = createServer(async (request, response) => {
    const { broker, publisher } = served()
    const log = openLogReader(broker.broker, publisher)
    const path = (request.url ?? '').replace('/log/', '')
    if (path === 'checkpoint') return response.end(log.checkpoint())
    const ref = parseTilePath(path)
    const read =
      ref?.level === 'entries'
        ? await log.entries(ref.index, ref.width)
        : ref && (await log.tile(ref.level, ref.index, ref.width))
    if (read?.kind !== 'found') return response.writeHead(404).end()
    return response.end(read.bytes)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stop = () =>
    new Promise((resolve) => {
      server.closeAllConnections()
      server.close(() => resolve())
    })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/log`
}

/** Changes the database behind the broker's back. */
function tamper(statement: string): void {
  const db = new Database(dataFilesIn(folder).database)
  db.exec('DROP TRIGGER log_leaves_no_update')
  db.exec(statement)
  db.close()
}

describe('countersign doctor', () => {
  it('ends with 0 over a running broker whose books are right', async () => {
    await appendLeaves(test.broker, 300)
    await publisher.publishNow()
    const ran = await run('doctor', '--data', folder)
    expect([ran.code, ran.err]).toEqual([0, ''])
    expect(ran.out).toContain('300 leaves')
    expect(ran.out).toContain('no faults')
  })

  it('ends with 1 and names what is wrong', async () => {
    await appendLeaves(test.broker, 3)
    tamper(`UPDATE log_leaves SET leaf = x'7b7d' WHERE leaf_index = 1`)
    const ran = await run('doctor', '--data', folder, '--json')
    expect(ran.code).toBe(1)
    expect(JSON.parse(ran.out)).toMatchObject({ faults: [{ code: 'leaf_hash_differs', where: 'leaf 1' }] })
  })

  it('ends with 2 where there is no broker, and makes nothing there', async () => {
    const ran = await run('doctor', '--data', join(folder, 'nowhere'))
    expect(ran.code).toBe(2)
    expect(existsSync(join(folder, 'nowhere'))).toBe(false)
    writeFileSync(dataFilesIn(folder).register, 'half')
    expect((await run('doctor', '--data', folder)).code).toBe(2)
  })
})

describe('countersign log verify', () => {
  it('verifies a data folder with its own key, and a served log with the key one was given', async () => {
    await appendLeaves(test.broker, 300)
    await publisher.publishNow()
    const url = await serve(() => ({ broker: test, publisher }))
    const vkey = openLogReader(test.broker, publisher).vkey()
    for (const where of [
      ['--data', folder],
      ['--data', folder, '--vkey', vkey],
      ['--url', url, '--vkey', vkey],
    ]) {
      const ran = await run('log', 'verify', ...where)
      expect([ran.code, ran.err]).toEqual([0, ''])
      expect(ran.out).toContain('the log verifies')
      expect(ran.out).toContain('300 leaves')
    }
  })

  it('ends with 1 for a changed leaf, wherever it looks', async () => {
    await appendLeaves(test.broker, 5)
    await publisher.publishNow()
    tamper(`UPDATE log_leaves SET leaf = x'7b7d' WHERE leaf_index = 2`)
    const url = await serve(() => ({ broker: test, publisher }))
    const vkey = openLogReader(test.broker, publisher).vkey()
    const ran = await run('log', 'verify', '--data', folder, '--json')
    expect(ran.code).toBe(1)
    expect(JSON.parse(ran.out)).toMatchObject({ fault: { code: 'leaf_mismatch', leafIndex: 2 } })
    expect((await run('log', 'verify', '--url', url, '--vkey', vkey)).code).toBe(1)
  })

  it('ends with 2 when it is not told which log, or by which key', async () => {
    for (const args of [
      [],
      ['--url', 'http://127.0.0.1:1/log'],
      ['--url', 'nonsense', '--vkey', 'x'],
      ['--url', 'http://127.0.0.1:1/log', '--vkey', 'x'],
      ['--data', folder],
      ['--data', folder, '--url', 'http://127.0.0.1:1/log'],
    ]) {
      const ran = await run('log', 'verify', ...args)
      expect([ran.code, ran.out]).toEqual([2, ''])
      expect(ran.err).not.toContain('    at ')
    }
  })
})

describe('countersign log follow', () => {
  it('keeps the first checkpoint, sees the log grow, and keeps the newest', async () => {
    const url = await serve(() => ({ broker: test, publisher }))
    const vkey = openLogReader(test.broker, publisher).vkey()
    const state = join(folder, 'state')
    const follow = () => run('log', 'follow', '--url', url, '--vkey', vkey, '--state', state)
    const said: string[] = []
    for (const more of [3, 0, 400]) {
      await appendLeaves(test.broker, more)
      await publisher.publishNow()
      const ran = await follow()
      expect([ran.code, ran.err]).toEqual([0, ''])
      said.push(ran.out.split(':')[0] ?? '')
    }
    expect(said).toEqual(['the first checkpoint is kept', 'unchanged', 'the log only grew'])
    expect(readFileSync(state, 'utf8')).toBe(publisher.newest()?.note)
  })

  it('finds a log that was put back, and one that signed two histories, and keeps the evidence', async () => {
    const other = await createTestBroker({ signer: test.signer })
    const register = openCheckpointRegisterFile(join(other.folder, 'register.json'))
    const forked = openCheckpointPublisher(other.broker, register)
    let served = { broker: test, publisher }
    const url = await serve(() => served)
    const vkey = openLogReader(test.broker, publisher).vkey()
    const state = join(folder, 'state')
    const follow = () => run('log', 'follow', '--url', url, '--vkey', vkey, '--state', state)
    await appendLeaves(test.broker, 20)
    await publisher.publishNow()
    await follow()
    const kept = readFileSync(state, 'utf8')

    served = { broker: other, publisher: forked }
    await appendLeaves(other.broker, 10)
    await forked.publishNow()
    const behind = await follow()
    expect([behind.code, readFileSync(state, 'utf8')]).toEqual([1, kept])
    expect(existsSync(`${state}.contradiction`)).toBe(false)

    await appendLeaves(other.broker, 30)
    const { note } = await forked.publishNow()
    const split = await follow()
    expect(split.code).toBe(1)
    expect(split.out).toContain('two histories')
    expect(readFileSync(state, 'utf8')).toBe(kept)
    const evidence = JSON.parse(readFileSync(`${state}.contradiction`, 'utf8'))
    expect(evidence).toMatchObject({ previousNote: kept, note })
    await other.close()
    rmSync(`${state}.contradiction`)
  })

  it('goes on across rotations of the log key when it is told the keys before', async () => {
    const keys = openKeyRing(dataFilesIn(folder).keys, NOW_MS, false)
    const broker = { ...test.broker, signer: keys }
    const register = openCheckpointRegisterFile(dataFilesIn(folder).register)
    const signing = openCheckpointPublisher(broker, register)
    const url = await serve(() => ({ broker: { ...test, broker }, publisher: signing }))
    const state = join(folder, 'state')
    const vkeys: string[] = []
    const follow = (...more: string[]) =>
      run('log', 'follow', '--url', url, '--vkey', vkeys.at(-1) ?? '', '--state', state, ...more)
    for (const size of [3, 4, 5]) {
      if (size > 3) await keys.rotate('log', NOW_MS + size)
      await appendLeaves(test.broker, size)
      await signing.publishNow()
      vkeys.push(openLogReader(broker, signing).vkey())
      if (size === 3) await follow()
    }
    const kept = readFileSync(state, 'utf8')
    const [first = '', second = ''] = vkeys
    const without = await follow('--previous-vkey', second)
    expect([without.code, readFileSync(state, 'utf8')]).toEqual([1, kept])
    expect(without.out).toContain('--previous-vkey')
    const ran = await follow('--previous-vkey', first, '--previous-vkey', second)
    expect([ran.code, ran.err, ran.out]).toEqual([0, '', expect.stringContaining('the log only grew')])
    expect(readFileSync(state, 'utf8')).toBe(signing.newest()?.note)
    expect((await follow()).out).toContain('unchanged')
    const broken = await follow('--previous-vkey', 'x')
    expect([broken.code, broken.err]).toEqual([2, expect.stringContaining('--previous-vkey is not')])
  })

  it('ends with 1 when the log cannot be read, and leaves the state alone', async () => {
    const vkey = openLogReader(test.broker, publisher).vkey()
    const state = join(folder, 'state')
    const ran = await run(
      'log',
      'follow',
      '--url',
      'http://127.0.0.1:1/log',
      '--vkey',
      vkey,
      '--state',
      state,
    )
    expect([ran.code, existsSync(state)]).toEqual([1, false])
    expect(ran.out).toContain('unavailable')
    expect(ran.out).toContain('could not be read, so nothing is proven')
  })
})
