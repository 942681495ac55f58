import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Logger } from '../../src/broker/broker.ts'
import { type RunningBroker, startBroker } from '../../src/compose.ts'
import { readConfig } from '../../src/config.ts'
import { SKILL_SECRETS } from './benched-skill.ts'

/** Requests a minute that are never reached: what is measured is not the refusal. */
export const UNLIMITED_PER_MINUTE = 100_000_000

/** What several nodes share; each has a folder besides. */
export const sharedPlace = z.strictObject({
  databaseUrl: z.string(),
  keyStoreUrl: z.string(),
  register: z.string(),
  secrets: z.string(),
})
export type SharedPlace = z.infer<typeof sharedPlace>

export type BenchBrokerOptions = {
  readonly folder: string
  readonly port: number
  readonly skillOrigin: string
  /** The issuer of tokens; the broker's own address if left out. */
  readonly publicUrl?: string | undefined
  /** The embedded database in the folder if left out. */
  readonly shared?: SharedPlace | undefined
}

/** Starts the broker as `npm start` does, with one skill allowed on loopback and no limit of requests. */
export async function startBenchBroker(
  { folder, port, skillOrigin, publicUrl, shared }: BenchBrokerOptions,
  logger?: Logger,
): Promise<RunningBroker> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const secretsFile = join(folder, 'skill-secrets.json')
  writeFileSync(secretsFile, JSON.stringify(SKILL_SECRETS), { mode: 0o600 })
  const read = readConfig({
    COUNTERSIGN_PORT: String(port),
    COUNTERSIGN_DATA: folder,
    COUNTERSIGN_SKILL_DEV_ORIGINS: skillOrigin,
    COUNTERSIGN_SKILL_SECRETS_FILE: secretsFile,
    COUNTERSIGN_RATE_PER_ADDRESS: String(UNLIMITED_PER_MINUTE),
    COUNTERSIGN_RATE_PER_AGENT: String(UNLIMITED_PER_MINUTE),
    COUNTERSIGN_RATE_PER_USER: String(UNLIMITED_PER_MINUTE),
    COUNTERSIGN_STOP_WITHIN_SECONDS: '5',
    // The same before and after a world has its address.
    COUNTERSIGN_LOG_ORIGIN: 'bench.example/log',
    ...(publicUrl === undefined ? {} : { COUNTERSIGN_PUBLIC_URL: publicUrl }),
    ...(shared && {
      COUNTERSIGN_DATABASE_URL: shared.databaseUrl,
      COUNTERSIGN_KEY_STORE_URL: shared.keyStoreUrl,
      COUNTERSIGN_CHECKPOINT_REGISTER: shared.register,
      COUNTERSIGN_SECRETS: shared.secrets,
      COUNTERSIGN_KEK_FILE: join(shared.secrets, 'kek.json'),
    }),
  })
  if (!read.ok) throw new Error(`the configuration has faults: ${read.faults.join('; ')}`)
  return startBroker(read.config, logger === undefined ? {} : { logger })
}

/** Nothing of what a broker says while something else is measured in the same process. */
export const SILENT: Logger = {
  info: () => {},
  warn: () => {},
  error: (event, facts) => console.error(event, facts),
}
