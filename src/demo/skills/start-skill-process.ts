import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { PrivateJwk } from '../../keys/detached-jws.ts'
import { type ProcessOrder, processReport } from './process-order.ts'
import type { SampleSkillName } from './sample-skill.ts'
import type { Switches } from './switches.ts'

export interface SkillProcessOptions {
  readonly name: SampleSkillName
  readonly port: number
  readonly issuer: string
  readonly keysUrl: string
  readonly runtimeKey: PrivateJwk
  /** Survives the process, so that the next one knows what this one did. */
  readonly journalFile: string
}

export interface SkillProcess {
  readonly baseUrl: string
  readonly pid: number
  set(switches: Switches): Promise<void>
  /** Resolves with the signal that ended the process, or null after an ordinary end. */
  ended(): Promise<NodeJS.Signals | null>
  /** Kills it as nothing can be caught: SIGKILL. */
  kill(): Promise<void>
}

const PROGRAM = fileURLToPath(new URL('./skill-process.ts', import.meta.url))

/** Starts a sample skill in a process of its own. Rejects when it ends before it listens. */
export async function startSkillProcess(options: SkillProcessOptions): Promise<SkillProcess> {
  const { issuer, keysUrl, ...rest } = options
  const child = fork(PROGRAM, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const ending = once(child, 'exit')
  const started = await ask(child, ending, {
    do: 'start',
    ...rest,
    broker: { issuer, keys: { url: keysUrl } },
  })
  if (started.did !== 'start' || child.pid === undefined) throw new Error(`${options.name} did not start`)

  const ended = async () => {
    await ending
    return child.signalCode
  }
  return {
    baseUrl: started.baseUrl,
    pid: child.pid,
    async set(switches) {
      await ask(child, ending, { do: 'set', switches })
    },
    ended,
    async kill() {
      child.kill('SIGKILL')
      await ended()
    },
  }
}

/** Sends one order and waits for its report; orders are sent one at a time. */
async function ask(child: ChildProcess, ending: Promise<unknown>, order: ProcessOrder) {
  const listening = new AbortController()
  const answer = once(child, 'message', { signal: listening.signal }).then(([message]) =>
    processReport.parse(message),
  )
  child.send(order)
  try {
    const report = await Promise.race([answer, ending.then(() => undefined)])
    if (!report) throw new Error(`the skill's process ended: ${child.signalCode ?? child.exitCode}`)
    return report
  } finally {
    listening.abort()
    answer.catch(() => {})
  }
}
