// `npm run agent`: an agent over any OpenAI-compatible endpoint that can do nothing its user has not allowed.
import { type AgentClient, createAgentClient } from '../sdk/agent-client.ts'
import { agentTokens } from '../sdk/agent-tokens.ts'
import { startDeviceSignIn } from '../sdk/device-sign-in.ts'
import { fileTokenStore } from '../sdk/file-token-store.ts'
import { createToolLoop } from '../sdk/tool-loop.ts'
import { AGENT_USAGE, type AgentSettings, readAgentSettings } from './agent-settings.ts'

const [prompt] = process.argv.slice(2)
const read = readAgentSettings(process.env)
if (!read.ok || prompt === undefined) {
  process.stderr.write(`${read.ok ? 'say what you want done' : read.fault}\n\n${AGENT_USAGE}\n`)
  process.exitCode = 2
} else process.exitCode = await run(read.settings, prompt)

/** Connects where it is not connected yet, lets the model work, and returns the exit code: 0 when it came to an end. */
async function run(settings: AgentSettings, wanted: string): Promise<number> {
  const { broker, endpoint, skills, tokensFile } = settings
  const client = await connect(broker, tokensFile)
  if (!client) return 1
  const claimed = await client.claimDeployments([endpoint.deployment])
  if (!claimed.ok) return failed(claimed.fault.code, claimed.fault.detail)

  const loop = createToolLoop({
    client,
    model: endpoint,
    skills,
    onQuestion: ({ kind, url, tool }) => say(`? ${kind} for ${tool.skill} ${tool.action}: ${url}`),
    onEvent: (event) => {
      if (event.kind === 'call')
        say(`> ${event.name}: ${event.code}${event.actionId ? ` (${event.actionId})` : ''}`)
    },
  })
  const interrupted = new AbortController()
  process.once('SIGINT', () => interrupted.abort())
  const end = await loop.run({ prompt: wanted, signal: interrupted.signal })
  say(
    `  ${end.deployment.id}, answered by ${[...new Set(end.models.map(({ returned }) => returned))].join(', ')}`,
  )
  if (end.kind === 'stopped') return failed(end.code, end.detail)
  process.stdout.write(`${printable(end.text)}\n`)
  return 0
}

async function connect(broker: string, tokensFile: string): Promise<AgentClient | undefined> {
  const store = fileTokenStore(tokensFile)
  if (!(await store.load())) {
    const started = await startDeviceSignIn({ broker, clientName: 'Example agent' })
    if (!started.ok) {
      failed(started.fault.code, started.fault.detail)
      return undefined
    }
    say(`Connect this agent: open ${started.value.verificationUri} and type ${started.value.userCode}`)
    const tokens = await started.value.wait()
    if (!tokens.ok) {
      failed(tokens.fault.code, tokens.fault.detail)
      return undefined
    }
    await store.save(tokens.value)
  }
  return createAgentClient({ broker, credential: agentTokens({ broker, store }) })
}

function say(line: string): void {
  process.stderr.write(`${printable(line)}\n`)
}

/** What a model wrote must not steer the terminal it is shown in. */
function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, '')
}

function failed(code: string, detail: string): number {
  say(`! ${code}: ${detail}`)
  return 1
}
