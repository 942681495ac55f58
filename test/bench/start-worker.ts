import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { Counted } from './run-worker.ts'

export type Worker = {
  /** The port of this name. @throws Error if the worker has none. */
  port(name: string): number
  /** Processor time it took since it started, in microseconds. */
  cpuMicroseconds(): Promise<number>
  /** Begins to count statements; the function it returns ends that. */
  count(): () => Promise<Counted>
  /** Rejects when the worker did not end well. */
  stop(): Promise<void>
}

const cpuShape = z.strictObject({ cpu: z.strictObject({ user: z.number(), system: z.number() }) })
const countedShape = z.strictObject({
  counted: z.strictObject({ requests: z.int(), statements: z.int(), roundTrips: z.int() }),
})
const offerShape = z.strictObject({ ports: z.record(z.string(), z.int()) })

/**
 * Starts a server in a process of its own, so that it shares no event loop with the client. What it logs is thrown
 * away; what it says on standard error is not. Rejects when it ends before it listens.
 *
 * @param nodeOptions such as those that make a CPU profile.
 */
export async function startWorker(
  program: 'bare-worker' | 'broker-worker' | 'skill-worker' | 'note-worker',
  options: object,
  nodeOptions: readonly string[] = [],
): Promise<Worker> {
  const file = fileURLToPath(new URL(`./${program}.ts`, import.meta.url))
  const child = fork(file, [JSON.stringify(options)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [...nodeOptions],
    // No settings of whoever runs this.
    env: {},
  })
  const ending = once(child, 'exit')
  const first = await Promise.race([once(child, 'message'), ending.then(() => undefined)])
  if (!first) throw new Error(`${program} ended before it listened`)
  const { ports } = offerShape.parse(first[0])
  return {
    port(name) {
      const port = ports[name]
      if (port === undefined) throw new Error(`${program} has no port ${name}`)
      return port
    },
    async cpuMicroseconds() {
      child.send('cpu')
      const [answer] = await once(child, 'message')
      const { cpu } = cpuShape.parse(answer)
      return cpu.user + cpu.system
    },
    count() {
      child.send('count')
      return async () => {
        child.send('counted')
        const [answer] = await once(child, 'message')
        return countedShape.parse(answer).counted
      }
    },
    async stop() {
      if (child.connected) child.send('stop')
      const [code] = await ending
      if (code !== 0) throw new Error(`${program} ended with ${String(code)}`)
    },
  }
}
