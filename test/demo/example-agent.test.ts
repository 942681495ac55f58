import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { approveConsent } from '../../src/broker/answer-consent.ts'
import type { BrowserByHand } from '../../src/demo/browser-by-hand.ts'
import { freePort } from '../../src/demo/free-port.ts'
import { startSkill } from '../../src/demo/skills/start-skill.ts'
import { xmlCall } from '../support/model-wire.ts'
import { type OauthWorld, openOauthWorld } from '../support/oauth-world.ts'
import { type ScriptedModel, startScriptedModel } from '../support/scripted-model.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { registerSkill } from '../support/test-broker.ts'

const MAIN = resolve(import.meta.dirname, '../../src/demo/example-agent.ts')
const MENU = { name: 'coffee_order_get_menu', arguments: { store_id: 'HZ-01' } }

type Stage = {
  readonly world: OauthWorld
  readonly model: ScriptedModel
  readonly env: Record<string, string>
}

/** A broker, a coffee chain and a model endpoint, each on a port of its own. */
async function openStage(): Promise<Stage> {
  const port = (await freePort(0)) ?? 0
  const issuer = `http://localhost:${port}`
  const keys = { url: `${issuer}/.well-known/jwks.json` }
  const coffee = await startSkill({ name: 'coffee.order', broker: { issuer, keys } })
  onTestFinished(() => coffee.stop())
  const origin = new URL(coffee.baseUrl).origin
  const world = await openOauthWorld({
    COUNTERSIGN_PORT: String(port),
    COUNTERSIGN_SKILL_DEV_ORIGINS: origin,
  })
  await registerSkill(world.running.broker, { ...coffee.manifest, version: coffee.manifest.version + 1 })
  const model = await startScriptedModel()
  onTestFinished(() => model.close())
  const env = {
    AGENT_BROKER: world.url,
    OPENAI_BASE_URL: model.baseUrl,
    OPENAI_MODEL: 'qwen3-coder:30b',
    OPENAI_API_KEY: 'sk-never-printed',
    QWEN_RUNTIME: 'ollama',
    QWEN_REPOSITORY: 'Qwen/Qwen3-Coder-30B-A3B-Instruct',
    AGENT_SKILLS: 'coffee.order',
    AGENT_TOKENS: join(tempFolder(), 'tokens.json'),
  }
  return { world, model, env }
}

/** Starts the agent; `seen` resolves with the first group of a line once that has been printed. */
function start(env: Readonly<Record<string, string>>, ...args: string[]) {
  const child: ChildProcessWithoutNullStreams = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: tempFolder(), ...env },
  })
  onTestFinished(() => void child.kill())
  let printed = ''
  const waiting = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      printed += chunk
      for (const look of waiting) look()
    })
  }
  const ended = once(child, 'close').then(([code]) => ({ code: Number(code), printed }))
  return {
    ended,
    seen: (pattern: RegExp) =>
      new Promise<string>((done, fail) => {
        const look = () => {
          const found = pattern.exec(printed)?.[1]
          if (found !== undefined) done(found)
        }
        waiting.add(look)
        look()
        void ended.then(() => fail(new Error(`it ended: ${printed}`)))
      }),
  }
}

async function connectBy(browser: BrowserByHand, url: string, user_code: string): Promise<void> {
  const question = await browser.submit(await browser.open(`${url}/device`), { user_code })
  await browser.submit(question, { user_code, answer: 'yes' }, '/device')
}

describe('the example agent', () => {
  it('connects, asks for consent, acts, and the next time needs neither', async () => {
    const { world, model, env } = await openStage()
    const { userId, browser } = await world.signIn({ isSteppedUp: true })
    model.script({ content: xmlCall(MENU.name, MENU.arguments) }, { content: '有拿铁。' })
    const first = start(env, '菜单上有什么?')
    await connectBy(browser, world.url, await first.seen(/type (\S+)/))
    const requestId = await first.seen(/consent for coffee\.order get_menu: \S+\/(crq_\w+)/)
    await approveConsent(world.running.broker, { userId, requestId })
    const told = await first.ended
    expect(told).toMatchObject({ code: 0, printed: expect.stringContaining('有拿铁。') })
    expect(told.printed).toMatch(/> coffee_order_get_menu: succeeded \(act_/)
    expect(told.printed).toMatch(/dep_\S+, answered by qwen3-coder:30b/)
    expect(told.printed).not.toContain('sk-never-printed')
    expect(told.printed).not.toContain(JSON.parse(readFileSync(env.AGENT_TOKENS ?? '', 'utf8')).accessToken)
    expect(statSync(env.AGENT_TOKENS ?? '').mode & 0o077).toBe(0)

    model.script({ toolCalls: [MENU] }, { content: 'Latte.' })
    expect(await start(env, 'Menu?').ended).toMatchObject({
      code: 0,
      printed: expect.stringContaining('Latte.'),
    })

    model.script({ model: 'qwen3-max', toolCalls: [MENU] })
    const drifted = await start(env, 'Menu?').ended
    expect(drifted).toMatchObject({ code: 1, printed: expect.stringContaining('model_differs') })
    const claimed = await start({ ...env, OPENAI_MODEL: 'qwen3-max' }, 'Menu?').ended
    expect(claimed).toMatchObject({ code: 1, printed: expect.stringContaining('deployments_registered') })
  }, 120_000)

  it('says what it lacks', async () => {
    const { code, printed } = await start({ OPENAI_MODEL: 'qwen' }, 'Hello').ended
    expect([code, printed]).toEqual([2, expect.stringContaining('OPENAI_BASE_URL is not set')])
    const named = { OPENAI_BASE_URL: 'http://127.0.0.1:1/v1', OPENAI_MODEL: 'qwen', QWEN_RUNTIME: 'vllm' }
    const other = await start(named, 'Hello').ended
    expect([other.code, other.printed]).toEqual([2, expect.stringContaining('path.repository')])
  })
})
