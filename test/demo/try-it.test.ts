import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Narrator } from '../../src/demo/narrator.ts'
import { openWorld } from '../../src/demo/open-world.ts'
import { tryItLines } from '../../src/demo/try-it.ts'
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

describe('what the demo says to type in another terminal', () => {
  it('gives tokens of all three kinds that the running broker takes', async () => {
    const home = join(tempFolder(), "a reader's folder")
    const world = await openWorld(silent, {
      folder: join(home, 'data'),
      logFile: join(home, 'broker.log'),
    })
    try {
      const lines = tryItLines(world.running)
      const curl = lines.pop() ?? ''
      const script = [...lines, 'echo "$PERSON $AGENT $OPERATOR"'].join('\n')
      const printed = execFileSync('sh', ['-c', script], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      const [person = '', agent = '', operator = ''] = printed.trim().split(' ')
      const url = /^curl -s (\S+) -H "authorization: Bearer \$PERSON"$/.exec(curl)?.[1] ?? ''
      const statusOf = async (address: string, token: string) =>
        (await fetch(address, { headers: { authorization: `Bearer ${token}` } })).status
      expect(await statusOf(url, person)).toBe(200)
      expect(await statusOf(url, agent)).toBe(200)
      expect(await statusOf(`${world.running.url}/v1/operator/in-doubt`, operator)).toBe(200)
    } finally {
      await world.stop()
    }
  }, 60_000)

  it('quotes a folder whose name a shell would take apart', () => {
    const running = { url: 'http://127.0.0.1:8787', userId: 'u', agentId: 'a', operatorId: 'o' }
    const [plain, odd] = ['/tmp/data', "/tmp/it's $HOME"].map(
      (folder) => tryItLines({ ...running, folder })[0],
    )
    expect(plain).toBe('export COUNTERSIGN_DEV_TOKENS=1 COUNTERSIGN_PORT=8787 COUNTERSIGN_DATA=/tmp/data')
    expect(odd?.endsWith(`COUNTERSIGN_DATA='/tmp/it'\\''s $HOME'`)).toBe(true)
  })
})
