import { join } from 'node:path'
import { z } from 'zod'
import { generatePublisherKey, publicHalfOf } from '../keys/publisher-key-file.ts'
import { type ApiCaller, openApiClient, readAs } from './api-client.ts'
import { openDemoKeys } from './demo-keys.ts'
import { freePort } from './free-port.ts'
import type { Narrator } from './narrator.ts'
import { registerSkill } from './register-skill.ts'
import { type SkillSet, startSkills } from './skill-set.ts'
import { startDemoBroker } from './start-demo-broker.ts'
import type { Cast } from './story/cast.ts'
import { mustHold } from './story-failed.ts'
import { type MintToken, newId, openTokenMint } from './tokens.ts'
import type { RunningDemo } from './try-it.ts'

const PORT = 8787
const OPERATOR = { kind: 'operator', operatorId: 'demo-operator', scopes: [] } as const

/** What the agent says it runs on: an open-weights checkpoint on the user's own machine. */
const DEPLOYMENT = {
  brand: 'Qwen',
  family: 'Qwen3',
  checkpoint: 'Qwen3-30B-A3B-Instruct-2507',
  thinking: 'off',
  path: {
    kind: 'self-hosted',
    runtime: 'vllm',
    repository: 'Qwen/Qwen3-30B-A3B-Instruct-2507',
    revision: 'main',
  },
}

export interface World {
  readonly cast: Cast
  readonly skills: SkillSet
  /** What a reader needs to call the broker too. */
  readonly running: RunningDemo
  stop(): Promise<void>
}

/**
 * Starts the skills and the broker, registers publishers, manifests and an agent over HTTP, and hands out everybody's
 * way to call. Whatever was started is stopped again when a later part fails.
 *
 * `folder` is the broker's data folder; what belongs to the sample skills goes into `demo` in it.
 */
export async function openWorld(
  narrator: Narrator,
  { folder, logFile }: { folder: string; logFile: string },
): Promise<World> {
  const opened: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const close of opened.splice(0).reverse()) await close()
  }
  try {
    const port = (await freePort(PORT)) ?? (await freePort(0))
    mustHold(port !== undefined, 'no port of 127.0.0.1 can be listened on')
    const url = `http://localhost:${port}`
    const keys = await openDemoKeys(join(folder, 'demo', 'keys.json'))
    const keysUrl = `${url}/.well-known/jwks.json`
    const skills = await startSkills({ folder: join(folder, 'demo'), issuer: url, keysUrl, keys })
    opened.push(skills.stop)
    const broker = await startDemoBroker({ folder, port, logFile, skillOrigins: skills.origins })
    opened.push(broker.stop)

    const mint = openTokenMint(broker.keys, url)
    const operator = callerAs(url, mint, { ...OPERATOR, sessionId: newId('session') })
    const publisher = openApiClient(url, null)
    for (const [name, manifest] of skills.manifests) {
      const own = keys.get(name)
      if (!own) throw new Error(`no keys for ${name}`)
      const registered = await registerSkill({ operator, publisher }, manifest, own)
      narrator.say(
        `${registered.title} (${name}, version ${registered.version}) signed, submitted, approved.`,
      )
    }
    const { pay, coffee } = skills
    const { userId, agentId, ...ofUser } = await openCast(url, mint)
    const cast: Cast = {
      ...ofUser,
      narrator,
      operator,
      pay,
      coffeeCalls: () => coffee.calls.length,
    }
    const running = { url, folder, userId, agentId, operatorId: OPERATOR.operatorId }
    return { cast, skills, running, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

type CastOfUser = Omit<Cast, 'narrator' | 'operator' | 'pay' | 'coffeeCalls'> & {
  readonly userId: string
  readonly agentId: string
}

/** A user nobody has seen before, and one agent that belongs to them. */
async function openCast(url: string, mint: MintToken): Promise<CastOfUser> {
  const userId = newId('user')
  const scopes: string[] = []
  const person = { kind: 'user', userId, sessionId: newId('session') } as const
  const user = callerAs(url, mint, { ...person, scopes })
  const registered = await user.post('/v1/agents', {
    name: 'Morning helper',
    publicJwk: publicHalfOf(await generatePublisherKey()),
    deployments: [DEPLOYMENT],
  })
  const shape = z.object({
    agent: z.object({ agentId: z.string(), deployments: z.array(z.object({ id: z.string() })).length(1) }),
  })
  const { agentId, deployments } = readAs(registered, 201, shape).agent
  const agent = (): ApiCaller =>
    callerAs(url, mint, { kind: 'agent', userId, agentId, sessionId: newId('session'), scopes })
  return {
    userId,
    agentId,
    brokerUrl: url,
    user,
    agent: agent(),
    agentInNewSession: agent(),
    deployment: deployments[0]?.id ?? '',
    auditorToken: () => mint({ ...person, scopes: ['log:read'] }),
  }
}

function callerAs(url: string, mint: MintToken, caller: Parameters<MintToken>[0]): ApiCaller {
  return openApiClient(url, () => mint(caller))
}
