import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CheckpointPublisher, openCheckpointPublisher } from '../../src/broker/publish-checkpoint.ts'
import { openLogReader } from '../../src/broker/read-log.ts'
import { parseTilePath } from '../../src/core/merkle/tile.ts'
import { createSigner } from '../../src/keys/jose-signer.ts'
import { openKeyFolder } from '../../src/keys/key-file.ts'
import { openCheckpointRegisterFile } from '../../src/store/checkpoint-register-file.ts'
import { dataFilesIn } from '../../src/store/data-files.ts'
import { appendLeaves } from '../support/append-leaves.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { createTestBroker, NOW_MS, type TestBroker } from '../support/test-broker.ts'

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname
const TOKEN = 'eyJ.the-token-of-an.auditor'
let test: TestBroker
let publisher: CheckpointPublisher
let folder: string
const server = createServer((request, response) => {
  const log = openLogReader(test.broker, publisher)
  const path = (request.url ?? '').replace('/log/', '')
  if (path === 'checkpoint') return response.end(log.checkpoint())
  const ref = parseTilePath(path)
  if (!ref) return response.writeHead(404).end()
  const isEntries = ref.level === 'entries'
  if (isEntries && request.headers.authorization !== `Bearer ${TOKEN}`) return response.writeHead(401).end()
  const read =
    ref.level === 'entries' ? log.entries(ref.index, ref.width) : log.tile(ref.level, ref.index, ref.width)
  return void Promise.resolve(read).then((found) =>
    found.kind === 'found' ? response.end(found.bytes) : response.writeHead(404).end(),
  )
})

beforeEach(async () => {
  folder = tempFolder()
  const signer = createSigner(openKeyFolder(dataFilesIn(folder).keys, NOW_MS))
  test = await createTestBroker({ folder, signer })
  publisher = openCheckpointPublisher(test.broker, openCheckpointRegisterFile(dataFilesIn(folder).register))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await test.close()
})

function verify(...args: string[]): Promise<{ failed: boolean; out: string; err: string }> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/log`
  const vkey = openLogReader(test.broker, publisher).vkey()
  const all = [MAIN, 'log', 'verify', '--url', url, '--vkey', vkey, ...args]
  return new Promise((resolve) => {
    execFile(process.execPath, all, { cwd: folder }, (error, out, err) =>
      resolve({ failed: error !== null, out, err }),
    )
  })
}

describe('countersign log verify over entries that need a token', () => {
  it('takes the token from a file, and never from the command line', async () => {
    await appendLeaves(test.broker, 3)
    await publisher.publishNow()
    writeFileSync(join(folder, 'auditor.token'), `${TOKEN}\n`, { mode: 0o600 })
    expect((await verify()).failed).toBe(true)
    const verified = await verify('--token-file', 'auditor.token')
    expect(verified).toMatchObject({ failed: false, err: '' })
    expect(verified.out).toContain('3 leaves')
    expect((await verify('--token', TOKEN)).err).toContain("unknown option '--token'")
    expect((await verify('--token-file', 'nowhere')).err).toContain('cannot read nowhere')
  })
})
