import { type ChildProcess, spawn } from 'node:child_process'

export type Ran = { readonly code: number | null; readonly out: string; readonly err: string }

/** Runs a program to its end. Killed after so many milliseconds, which is then said in what it complained of. */
export async function runProgram(
  file: string,
  args: readonly string[],
  about: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string; readonly withinMs?: number } = {},
): Promise<Ran> {
  const { env = process.env, cwd, withinMs = 90_000 } = about
  const child = spawn(file, args, {
    env,
    ...(cwd === undefined ? {} : { cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  const timer = setTimeout(() => {
    err += `\nkilled after ${withinMs} ms`
    child.kill('SIGKILL')
  }, withinMs)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  clearTimeout(timer)
  return { code, out, err }
}

/** A program that goes on, and all it has printed so far. */
export type Running = { readonly child: ChildProcess; text(): string; stop(): Promise<void> }

export function startProgram(
  file: string,
  args: readonly string[],
  about: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
): Running {
  const { env = process.env, cwd } = about
  const child = spawn(file, args, {
    env,
    ...(cwd === undefined ? {} : { cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      text += chunk
    })
  }
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  return {
    child,
    text: () => text,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await ended
      clearTimeout(timer)
    },
  }
}

/** Waits until a program has printed this. @throws (rejects) with all it printed, where it does not come in time. */
export async function untilPrinted(
  running: Running,
  pattern: RegExp,
  withinMs = 60_000,
): Promise<RegExpExecArray> {
  const until = performance.now() + withinMs
  for (;;) {
    const found = pattern.exec(running.text())
    if (found) return found
    if (performance.now() > until || running.child.exitCode !== null) {
      throw new Error(`not printed: ${pattern}; printed was: ${running.text().slice(-3_000)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
