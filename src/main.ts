import { startBroker } from './compose.ts'
import { readConfig } from './config.ts'
import { showSetUpLink } from './show-set-up-link.ts'

/** A second signal does not wait any longer. */
async function main(): Promise<void> {
  const read = readConfig(process.env)
  if (!read.ok) {
    refuse('The configuration has faults:', read.faults)
    return
  }
  try {
    const running = await startBroker(read.config)
    process.stdout.write(`Countersign is listening on ${running.url} (documentation: ${running.url}/docs)\n`)
    const { dataFolder: folder } = read.config
    const isTerminal = process.stdout.isTTY === true
    const line = showSetUpLink(running.setUpLink, { folder, isTerminal })
    if (line !== undefined) process.stdout.write(`${line}\n`)
    let isStopping = false
    const stop = () => {
      if (isStopping) process.exit(1)
      isStopping = true
      running
        .stop()
        .catch((error: unknown) => refuse('Countersign did not stop well:', [messageOf(error)]))
        // A call that was handed over must not hold the process.
        .finally(() => process.exit())
    }
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
  } catch (error) {
    refuse('Countersign did not start:', [messageOf(error)])
  }
}

function refuse(what: string, faults: readonly string[]): void {
  process.stderr.write(`${[what, ...faults.map((fault) => `  - ${fault}`)].join('\n')}\n`)
  process.exitCode = 1
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

await main()
