import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Narrator } from '../../src/demo/narrator.ts'
import { openWorld } from '../../src/demo/open-world.ts'
import { enrol } from '../../src/demo/person.ts'
import { createAuthenticator } from '../../src/demo/software-passkey.ts'
import { tryItLines } from '../../src/demo/try-it.ts'
import { runCommand } from '../support/broker-process.ts'
import { tempFolder } from '../support/temp-folder.ts'

const nothing = () => {}
const silent: Narrator = {
  title: nothing,
  step: nothing,
  say: nothing,
  answer: nothing,
  shown: nothing,
  money: nothing,
  done: nothing,
  line: nothing,
  failed: nothing,
}

describe('what the demo says to try', () => {
  it('makes a reader an account, whose API answers them', { timeout: 60_000 }, async () => {
    const home = tempFolder()
    const { running, stop } = await openWorld(silent, {
      folder: join(home, 'data'),
      logFile: join(home, 'broker.log'),
    })
    onTestFinished(stop)
    const lines = tryItLines(running).map((line) => line.trim())
    const link = lines.find((line) => line.startsWith(`${running.url}/enrol/`)) ?? ''
    const reader = await enrol(running.url, link, createAuthenticator(running.url))
    expect(await reader.api.get('/v1/agents')).toMatchObject({ status: 200, body: { items: [] } })
    const mcp = await fetch(lines.find((line) => line.endsWith('/mcp')) ?? '')
    expect([mcp.status, mcp.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('resource_metadata'),
    ])
  })

  it('names a command that is there', async () => {
    const lines = tryItLines({ url: 'http://localhost:8787', invitation: 'x' }).map((line) => line.trim())
    const command = lines.find((line) => line.startsWith('npm run')) ?? ''
    const [name = ''] = command.split(' -- ')[1]?.split(' ') ?? []
    expect(await runCommand([name, '--help'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('--broker'),
    })
  })
})
