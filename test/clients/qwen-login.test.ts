import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { refreshOf } from '../../src/demo/browser-by-hand.ts'
import { openClientWorld } from './client-world.ts'
import { findProgram, leftOut } from './find-program.ts'
import { createQwenHome } from './qwen-home.ts'
import { runProgram, startProgram } from './run-program.ts'
import { startScriptedTurns, toolCall } from './scripted-turns.ts'
import { tell } from './transcript.ts'

const qwen = findProgram('qwen')
/** Gives a program a terminal, as which it logs in at all. */
const SCRIPT = '/usr/bin/script'
const canRun = qwen !== undefined && existsSync(SCRIPT)
if (!canRun) process.stderr.write(`Qwen Code's own login: ${leftOut('qwen')}; it needs ${SCRIPT} too\n`)

const keptShape = z.array(
  z.looseObject({ serverName: z.string(), mcpServerUrl: z.string(), clientId: z.string() }),
)

it.skipIf(!canRun)(
  'Qwen Code logs in by its own way, with a browser, and connects with what it keeps',
  async () => {
    const world = await openClientWorld()
    const model = await startScriptedTurns()
    const home = createQwenHome(model.baseUrl, {
      mcpServers: { countersign: { httpUrl: world.mcpUrl, trust: true } },
    })
    const opened = join(home.home, 'opened')
    const browser = join(home.home, 'browser.sh')
    writeFileSync(browser, `#!/bin/sh\nprintf '%s' "$1" > ${opened}\n`, { mode: 0o755 })
    const env = { ...home.env, BROWSER: browser, DISPLAY: ':0', TERM: 'xterm' }
    const running = startProgram(SCRIPT, ['-qec', `${qwen} --auth-type openai`, '/dev/null'], {
      env,
      cwd: home.project,
    })
    onTestFinished(() => running.stop())

    const url = await until(
      () => (existsSync(opened) ? readFileSync(opened, 'utf8') : ''),
      () => running.text(),
    )
    const asked = new URL(url)
    tell(`qwen opens ${asked.origin}${asked.pathname} for ${asked.searchParams.get('resource')}`)
    const page = await world.user.browser.open(url)
    expect(page.text).toContain('Qwen Code MCP Client')
    const answered = await world.user.browser.submit(page, { answer: 'yes' })
    const { location } = await world.user.browser.open(refreshOf(answered))
    expect((await fetch(location ?? '')).status).toBe(200)

    const file = join(home.home, '.qwen', 'mcp-oauth-tokens.json')
    await until(
      () => (existsSync(file) ? readFileSync(file, 'utf8') : ''),
      () => running.text(),
    )
    const [kept] = keptShape.parse(JSON.parse(readFileSync(file, 'utf8')))
    expect(kept).toMatchObject({ serverName: 'countersign', mcpServerUrl: world.mcpUrl })
    await running.stop()

    const prompt = model.script(
      toolCall('tool_call', { name: 'mcp__countersign__countersign_find_skills', arguments: {} }),
    )
    const args = ['--auth-type', 'openai', '-y', '-o', 'stream-json', '-p', prompt]
    const ran = await runProgram(qwen ?? '', args, { env: home.env, cwd: home.project })
    expect(ran.out).toContain('coffee.order')
  },
  400_000,
)

async function until(look: () => string, said: () => string): Promise<string> {
  for (const untilMs = performance.now() + 90_000; performance.now() < untilMs; ) {
    const found = look()
    if (found !== '') return found
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error(`it did not come: ${said().slice(-3_000)}`)
}
