import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const CLI = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

export type BrokerProcess = {
  /** Kills it as nothing can be caught: SIGKILL. */
  kill(): Promise<void>
  /** Stops it where it is, in the middle of anything (SIGSTOP), until it is woken. */
  pause(): void
  wake(): void
  /** What it wrote on standard error. */
  complaints(): string
}

/** Starts the broker as `npm start` does, and resolves when it listens. Rejects when it ends before that. */
export async function startBrokerProcess(env: Readonly<Record<string, string>>): Promise<BrokerProcess> {
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = once(child, 'close')
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text
  })
  await listening(child, ended, () => complaints)
  // Whoever does not read what it logs would stop it at a full pipe.
  child.stdout.resume()
  return {
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    pause: () => void child.kill('SIGSTOP'),
    wake: () => void child.kill('SIGCONT'),
    complaints: () => complaints,
  }
}

/** Runs one command of the command line to its end. */
export async function runCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; out: string }> {
  const child = spawn(process.execPath, [CLI, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  const [code] = await once(child, 'close')
  return { code: Number(code), out }
}

async function listening(child: ChildProcess, ended: Promise<unknown>, complaints: () => string) {
  let said = ''
  const listens = new Promise<'listens'>((resolve) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (said.includes('is listening on')) resolve('listens')
    })
  })
  if ((await Promise.race([listens, ended])) === 'listens') return
  throw new Error(`the broker ended before it listened: ${complaints()}`)
}
