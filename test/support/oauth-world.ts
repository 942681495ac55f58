import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type RunningBroker, type StartOptions, startBroker } from '../../src/compose.ts'
import { readConfig } from '../../src/config.ts'
import { BrowserByHand } from '../../src/demo/browser-by-hand.ts'
import { newSecret } from '../../src/people/bearer-secret.ts'
import { openSession } from '../../src/people/open-session.ts'
import { createTestDatabase } from './postgres-database.ts'
import { sampleManifest } from './sample-manifest.ts'
import { tempFolder } from './temp-folder.ts'
import { registerSkill } from './test-broker.ts'

export type OauthWorld = {
  readonly running: RunningBroker
  readonly url: string
  /** A user who is signed in, with a browser of their own. */
  signIn(about?: {
    userId?: string
    isSteppedUp?: boolean
  }): Promise<{ userId: string; browser: BrowserByHand }>
}

/** On PostgreSQL where the run is about it: a database for the broker, and one for what must not be restored with it. */
async function engineSettings(): Promise<Record<string, string>> {
  if (process.env.TEST_STORE !== 'postgres') return {}
  const [database, beside] = await Promise.all([createTestDatabase(), createTestDatabase()])
  onTestFinished(async () => {
    await Promise.all([database.drop(), beside.drop()])
  })
  const secrets = tempFolder()
  return {
    COUNTERSIGN_LOG_ORIGIN: 'broker.example/log',
    COUNTERSIGN_DATABASE_URL: database.url(),
    COUNTERSIGN_KEY_STORE_URL: beside.url('owner'),
    COUNTERSIGN_CHECKPOINT_REGISTER: beside.url('owner'),
    COUNTERSIGN_SECRETS: secrets,
    COUNTERSIGN_KEK_FILE: join(secrets, 'kek.json'),
  }
}

/** Proofs tell their time to the second, and one that may be from before the start is refused by the API. */
export async function untilNextSecond(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1_000 - (Date.now() % 1_000)))
}

const SILENT = { info() {}, warn() {}, error() {} }

/** A running broker on a real socket, with a skill to ask consent for. */
export async function openOauthWorld(
  env: Readonly<Record<string, string>> = {},
  options: StartOptions = {},
): Promise<OauthWorld> {
  const read = readConfig({
    COUNTERSIGN_DATA: join(tempFolder(), 'data'),
    COUNTERSIGN_PORT: '0',
    COUNTERSIGN_LOG_LEVEL: 'silent',
    ...(await engineSettings()),
    ...env,
  })
  if (!read.ok) throw new Error(read.faults.join('; '))
  const running = await startBroker(read.config, { logger: SILENT, ...options })
  onTestFinished(() => running.stop({ withinMs: 100 }))
  const { broker, url } = running
  await registerSkill(broker, sampleManifest('coffee.order'))
  return {
    running,
    url,
    async signIn({ userId = broker.newId('user'), isSteppedUp = false } = {}) {
      const secret = newSecret()
      const who = { kind: 'user', id: userId } as const
      await broker.store.transaction(async (tx) => {
        if (!(await tx.people.find(who))) {
          await tx.users.save({ id: userId, timeZone: 'Asia/Shanghai', createdAtMs: tx.nowMs })
          await tx.people.insert({
            personId: userId,
            kind: 'user',
            status: 'active',
            stepUpAbove: '{}',
            createdAtMs: tx.nowMs,
            recoveredAtMs: null,
          })
        }
        await openSession(tx, {
          id: broker.newId('session'),
          who,
          secret,
          channel: 'browser',
          userAgent: 'test',
          viaProvider: false,
          steppedUpAtMs: isSteppedUp ? tx.nowMs : null,
        })
      })
      return { userId, browser: new BrowserByHand(url, { 'countersign-dev': secret }) }
    },
  }
}
