import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type RunningBroker, startBroker } from '../compose.ts'
import { readConfig } from '../config.ts'
import { openFileLogger } from './file-logger.ts'

export interface DemoBrokerOptions {
  readonly folder: string
  readonly port: number
  readonly logFile: string
  readonly skillOrigins: readonly string[]
}

/** What the user's card is called at the coffee chain; the broker puts it in, no agent ever sees it. */
const SECRETS = { 'coffee.order': { '/payment_token': 'tok_demo_card' } }

/**
 * Starts the broker as `npm start` does, with what only a demo may have: skills on loopback, and a card that is
 * none. Rejects when it does not start.
 */
export async function startDemoBroker(options: DemoBrokerOptions): Promise<RunningBroker> {
  const { folder, port, logFile, skillOrigins } = options
  const secretsFile = join(folder, 'demo', 'skill-secrets.json')
  writeFileSync(secretsFile, JSON.stringify(SECRETS), { mode: 0o600 })
  const read = readConfig({
    COUNTERSIGN_PORT: String(port),
    COUNTERSIGN_DATA: folder,
    COUNTERSIGN_SKILL_DEV_ORIGINS: skillOrigins.join(','),
    COUNTERSIGN_SKILL_SECRETS_FILE: secretsFile,
  })
  if (!read.ok) throw new Error(`the configuration of the demo has faults: ${read.faults.join('; ')}`)
  return startBroker(read.config, { logger: openFileLogger(logFile) })
}
