import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { type AgentConnection, connectAgent } from './agent-connection.ts'
import { bearer, openApiClient, readAs } from './api-client.ts'
import { openDemoKeys } from './demo-keys.ts'
import { freePort } from './free-port.ts'
import type { Narrator } from './narrator.ts'
import { enrol, type Person, signIn } from './person.ts'
import { registerSkill } from './register-skill.ts'
import { type SkillSet, startSkills } from './skill-set.ts'
import { createAuthenticator } from './software-passkey.ts'
import { startDemoBroker } from './start-demo-broker.ts'
import type { Cast } from './story/cast.ts'
import { mustHold } from './story-failed.ts'
import type { RunningDemo } from './try-it.ts'

const PORT = 8787
const OPERATOR = 'demo-operator'

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
 * Starts the skills and the broker, signs in an operator and a user, registers publishers and manifests, connects an
 * agent, all over HTTP, and hands out everybody's way to call. Whatever was started is stopped again when a later part fails.
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

    const operator = await openOperator(url, broker.setUpLink, join(folder, 'demo', 'operator.json'))
    const publisher = openApiClient(url, null)
    for (const [name, manifest] of skills.manifests) {
      const own = keys.get(name)
      if (!own) throw new Error(`no keys for ${name}`)
      const registered = await registerSkill({ operator: operator.api, publisher }, manifest, own)
      narrator.say(
        `${registered.title} (${name}, version ${registered.version}) signed, submitted, approved.`,
      )
    }
    const { pay, coffee } = skills
    const cast = await openCast(url, operator, { narrator, pay, coffeeCalls: () => coffee.calls.length })
    narrator.say('A user made a passkey and connected an agent, which has no authority yet.')
    const running = { url, invitation: await invitation(url, operator) }
    return { cast, skills, running, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/**
 * The first operator, by the link the broker prints at its first start. A folder that is kept knows them already, so
 * their passkey is kept beside the keys of the sample skills.
 */
async function openOperator(url: string, link: string | undefined, file: string): Promise<Person> {
  if (link === undefined) {
    const passkey = createAuthenticator(url, readFileSync(file, 'utf8'))
    const operator = await signIn(url, passkey)
    writeFileSync(file, passkey.save(), { mode: 0o600 })
    return operator
  }
  const passkey = createAuthenticator(url)
  const operator = await enrol(url, link, passkey, OPERATOR)
  writeFileSync(file, passkey.save(), { mode: 0o600 })
  return operator
}

/** A link by which somebody makes an account of their own. */
async function invitation(url: string, { browser }: Person): Promise<string> {
  const page = await browser.open(`${url}/operator/people`)
  const invited = await browser.submit(page, { kind: 'user' }, '/operator/people/invite')
  const link = /https?:\/\/[^<\s]+\/enrol\/[A-Za-z0-9_-]+/.exec(invited.text)?.[0]
  mustHold(link !== undefined, `nobody could be invited: ${invited.status}`)
  return link
}

/** A user nobody has seen before, and one agent that belongs to them. */
async function openCast(
  url: string,
  operator: Person,
  others: Pick<Cast, 'narrator' | 'pay' | 'coffeeCalls'>,
): Promise<Cast> {
  const user = await enrol(url, await invitation(url, operator), createAuthenticator(url))
  const connect = (replaces?: string) =>
    connectAgent(url, user.browser, {
      name: 'Morning helper',
      scope: 'agent',
      ...(replaces === undefined ? {} : { replaces }),
    })
  let connection = await connect()
  let deployment = await registerDeployment(user, connection)
  return {
    ...others,
    brokerUrl: url,
    operator: operator.api,
    user: user.api,
    agent: openApiClient(
      url,
      bearer(() => connection.token()),
    ),
    get deployment() {
      return deployment
    },
    async connectAnew() {
      connection = await connect(connection.agentId)
      deployment = await registerDeployment(user, connection)
    },
    async auditorToken() {
      const auditor = await connectAgent(url, user.browser, { name: 'Log auditor', scope: 'agent log:read' })
      return auditor.token()
    },
  }
}

/** The user says what the agent runs on, so that a grant could be limited to it. Resolves to its id. */
async function registerDeployment(user: Person, { agentId }: AgentConnection): Promise<string> {
  const answer = await user.api.put(`/v1/agents/${agentId}/deployments`, { deployments: [DEPLOYMENT] })
  const shape = z.object({ deployments: z.array(z.object({ id: z.string() })).length(1) })
  return readAs(answer, 200, shape).deployments[0]?.id ?? ''
}
