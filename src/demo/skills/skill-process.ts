// A sample skill alone in a process, so that it can really be killed. Started by start-skill-process.ts.
import { type ProcessReport, processOrder } from './process-order.ts'
import { type RunningSkill, startSkill } from './start-skill.ts'

let running: RunningSkill | undefined

process.on('message', (message) => {
  obey(message).catch((error: unknown) => {
    console.error(error)
    process.exit(1)
  })
})
// Ctrl-C in a terminal reaches the parent too, which decides when this ends.
process.on('SIGINT', () => {})
// Without its parent nobody could stop it any more.
process.on('disconnect', () => process.exit(0))

async function obey(message: unknown): Promise<void> {
  const order = processOrder.parse(message)
  if (order.do === 'set') {
    running?.set(order.switches)
    report({ did: 'set' })
    return
  }
  const { do: _start, ...options } = order
  running = await startSkill({ ...options, killProcess: () => process.kill(process.pid, 'SIGKILL') })
  report({ did: 'start', baseUrl: running.baseUrl })
}

function report(did: ProcessReport): void {
  process.send?.(did)
}
