import { createHash, createSecretKey } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ALWAYS_ADMITS } from '../../src/broker/admission.ts'
import type { Broker, Logger, Settings } from '../../src/broker/broker.ts'
import { InFlight } from '../../src/broker/in-flight.ts'
import { ManifestCache } from '../../src/broker/manifest-cache.ts'
import { openEventPart } from '../../src/broker/open-part.ts'
import { RecentRefusals } from '../../src/broker/recent-refusals.ts'
import { WakeUp } from '../../src/broker/wake-up.ts'
import { type IdKind, idOf } from '../../src/core/ids.ts'
import type { JsonValue } from '../../src/core/json-value.ts'
import type { LeafType, PartName } from '../../src/core/log/leaf.ts'
import { canonicalManifest, manifestDigest } from '../../src/core/manifest/canonical-manifest.ts'
import type { Manifest } from '../../src/core/manifest/manifest.ts'
import { openCellStore } from '../../src/keys/cell-store.ts'
import { createManifestVerifier } from '../../src/keys/jose-manifest-verifier.ts'
import { createPseudonyms } from '../../src/keys/pseudonyms.ts'
import type { LinkClient } from '../../src/ports/link-clients.ts'
import type { ManifestVerifier } from '../../src/ports/manifest-verifier.ts'
import type { AgentRow, ManifestRow } from '../../src/ports/rows.ts'
import type { Signer } from '../../src/ports/signer.ts'
import { createFakeSkill, type FakeSkill } from './fake-skill.ts'
import { createTestSigner } from './test-broker-keys.ts'
import { type ENGINE, openTestEngine, removeTestEngine } from './test-engine.ts'

/** 2026-11-23 08:00 UTC, a Monday. */
export const NOW_MS = Date.UTC(2026, 10, 23, 8, 0, 0)

export type TestClock = {
  nowMs(): number
  /** Wall and monotonic clock go on together, as time does. */
  advance(ms: number): void
  /** The wall clock alone jumps, as when somebody sets it. */
  stepWall(ms: number): void
}

export type LoggedLine = { level: 'info' | 'warn' | 'error'; event: string; facts: Record<string, unknown> }

/** A leaf of the log, read back. */
export type ReadLeaf = { eventId: string; type: LeafType; outcome: string; reason: string; parts: PartName[] }

export type TestBroker = {
  readonly broker: Broker
  readonly clock: TestClock
  readonly skill: FakeSkill
  readonly signer: Signer
  /** Secrets of skills by `skillId pointer`; what is put here is configured. */
  readonly secrets: Map<string, string>
  /** OAuth clients at skills by `skillId link`; what is put here is configured. */
  readonly linkClients: Map<string, LinkClient>
  readonly logged: LoggedLine[]
  readonly folder: string
  /** Every leaf in order. */
  leaves(): Promise<ReadLeaf[]>
  /** The newest leaf of a type. @throws Error if there is none. */
  lastLeaf(type: LeafType): Promise<ReadLeaf>
  openPart(eventId: string, part: PartName): Promise<JsonValue | undefined>
  /** Closes store and cells and opens the same files again, as after a restart. The old broker is of no use then. */
  reopen(): Promise<TestBroker>
  /** Closes everything and removes the folder. */
  close(): Promise<void>
}

export type TestBrokerOptions = {
  nowMs?: number
  settings?: Partial<Settings>
  /** Ids of two brokers with the same seed are the same; without one, no two brokers of a run share an id. */
  seed?: string
  folder?: string
  clock?: MutableClock
  signer?: Signer
  maxBatch?: number
  /** False where leaves are to stay in line, on an engine that has one, for tests of what else is sent. */
  sequences?: boolean
  /** In place of the engine of the run. */
  engine?: typeof ENGINE
  manifestVerifier?: ManifestVerifier
}

/** What is cached by id in the process must not be taken for another broker's, so each has a seed of its own. */
let brokers = 0

type MutableClock = { wallMs: number; monotonicMs: number }

export const TEST_SETTINGS: Settings = {
  issuer: 'https://broker.example',
  logOrigin: 'broker.example/log',
  policyDigest: 'A'.repeat(43),
  keepPartsDays: { core: 1000, subj: 400, body: 90 },
  mergeWithinMs: 5_000,
  consentWithinMs: 24 * 3_600_000,
  approvalWithinMs: 15 * 60_000,
  coolDownMs: 3_600_000,
  openQuestionsMost: 3,
  questionsPerDayMost: 20,
  unusedGrantMs: 90 * 86_400_000,
  memory: { mostDays: 400, itemBytesMost: 16_384, itemsMost: 10_000, bytesMost: 16_777_216 },
  keyEpochMs: 30 * 86_400_000,
  platformWebhook: false,
  suspendsOverdueDeletions: true,
  developmentEndpoints: ['http://127.0.0.1:9101', 'http://127.0.0.1:9102', 'http://127.0.0.1:9103'],
}

/**
 * A broker as in production but for its surroundings: a real store and cells of its own, a clock that
 * stands still until told, ids in a fixed sequence, and a skill that answers by script.
 */
export async function createTestBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'countersign-broker-'))
  const time = options.clock ?? { wallMs: options.nowMs ?? NOW_MS, monotonicMs: 1_000 }
  const signer = options.signer ?? createTestSigner().signer
  brokers += 1
  const seed = options.seed ?? `broker ${brokers}`
  const store = await openTestEngine(folder, {
    clocks: { wallMs: () => time.wallMs, monotonicMs: () => time.monotonicMs },
    ...(options.maxBatch === undefined ? {} : { maxBatch: options.maxBatch }),
    ...(options.sequences === undefined ? {} : { sequences: options.sequences }),
    ...(options.engine === undefined ? {} : { engine: options.engine }),
  })
  const cells = openCellStore({
    file: join(folder, 'cells.sqlite'),
    kekFile: join(folder, 'kek.json'),
    nowMs: time.wallMs,
  })
  const skill = createFakeSkill()
  const secrets = new Map<string, string>()
  const linkClients = new Map<string, LinkClient>()
  const logged: LoggedLine[] = []
  const broker: Broker = {
    store,
    cells,
    signer,
    skills: skill,
    linkClients: { find: (skillId, link) => linkClients.get(`${skillId} ${link}`) },
    secrets: { find: (skillId, pointer) => secrets.get(`${skillId} ${pointer}`) },
    pseudonyms: createPseudonyms(createSecretKey(Buffer.alloc(32, 7))),
    manifestVerifier: options.manifestVerifier ?? createManifestVerifier(),
    manifests: new ManifestCache(),
    recentRefusals: new RecentRefusals(),
    inFlight: new InFlight(),
    deliveries: new WakeUp(),
    notices: new WakeUp(),
    newId: idSequence(seed),
    admission: ALWAYS_ADMITS,
    nodeId: 'nod_test',
    settings: { ...TEST_SETTINGS, ...options.settings },
    logger: collectingLogger(logged),
  }
  const closeFiles = async () => {
    await store.close()
    await cells.close()
  }
  const leaves = async () => readLeaves(broker)
  return {
    broker,
    clock: {
      nowMs: () => time.wallMs,
      advance(ms) {
        time.wallMs += ms
        time.monotonicMs += ms
      },
      stepWall(ms) {
        time.wallMs += ms
      },
    },
    skill,
    signer,
    secrets,
    linkClients,
    logged,
    folder,
    leaves,
    async lastLeaf(type) {
      const found = (await leaves()).findLast((leaf) => leaf.type === type)
      if (!found) throw new Error(`no leaf of type ${type}`)
      return found
    },
    openPart: (eventId, part) => openEventPart(broker, eventId, part),
    async reopen() {
      await closeFiles()
      return createTestBroker({ ...options, folder, clock: time, signer, seed: `${seed}'` })
    },
    async close() {
      await closeFiles()
      await removeTestEngine(folder)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Ids that are the same in every run. */
export function idSequence(seed: string): (kind: IdKind) => string {
  let count = 0
  return (kind) => {
    count += 1
    return idOf(
      kind,
      NOW_MS + count,
      createHash('sha256').update(`${seed} ${count}`).digest().subarray(0, 16),
    )
  }
}

function collectingLogger(logged: LoggedLine[]): Logger {
  const line =
    (level: LoggedLine['level']) =>
    (event: string, facts: Record<string, unknown> = {}) => {
      logged.push({ level, event, facts })
    }
  return { info: line('info'), warn: line('warn'), error: line('error') }
}

async function readLeaves(broker: Broker): Promise<ReadLeaf[]> {
  const { treeSize } = await broker.store.treeHead()
  const rows = await broker.store.read(async (tx) => tx.log.leaves(0, treeSize))
  return rows.map((row) => {
    const leaf = JSON.parse(row.leaf.toString('utf8'))
    return {
      eventId: leaf.id,
      type: leaf.t,
      outcome: leaf.d,
      reason: leaf.r,
      parts: Object.keys(leaf.parts) as PartName[],
    }
  })
}

/**
 * Puts a manifest in place as an operator's approval leaves it: publisher, skill and version are there, the version
 * is approved and current. Returns its digest. The signature is not one: nothing behind registration looks at it.
 */
export async function registerSkill(broker: Broker, manifest: Manifest): Promise<string> {
  const digest = manifestDigest(manifest)
  await broker.store.transaction(async (tx) => {
    const atMs = tx.nowMs
    if (!(await tx.publishers.find(manifest.publisher))) {
      await tx.publishers.insert({ id: manifest.publisher, createdAtMs: atMs })
    }
    if (!(await tx.skills.find(manifest.skill))) {
      await tx.skills.insert({
        id: manifest.skill,
        publisherId: manifest.publisher,
        currentDigest: null,
        highestVersion: 0,
        createdAtMs: atMs,
      })
    }
    if (!(await tx.manifests.find(digest))) await tx.manifests.insert(manifestRow(manifest, digest, atMs))
    await tx.skills.setHighestVersion(manifest.skill, manifest.version)
    await tx.skills.setCurrent(manifest.skill, digest)
  })
  return digest
}

function manifestRow(manifest: Manifest, digest: string, atMs: number): ManifestRow {
  return {
    digest,
    skillId: manifest.skill,
    version: manifest.version,
    publisherId: manifest.publisher,
    canonical: canonicalManifest(manifest),
    signature: 'not.looked.at',
    kid: 'not-looked-at',
    status: 'approved',
    reason: 'test',
    submittedAtMs: atMs,
    changedAtMs: atMs,
  }
}

/** Suspends a skill's current version, as an operator does. */
export async function suspendSkill(broker: Broker, skillId: string): Promise<void> {
  await broker.store.transaction(async (tx) => {
    const skill = await tx.skills.find(skillId)
    if (!skill?.currentDigest) throw new Error(`${skillId} has no current version`)
    await tx.manifests.setStatus(skill.currentDigest, 'suspended', 'test', tx.nowMs)
    await tx.skills.setCurrent(skillId, null)
  })
}

/** Puts a connected agent in place without going through registration. */
export async function insertAgent(
  broker: Broker,
  row: Partial<AgentRow> & { userId: string },
): Promise<AgentRow> {
  const id = row.id ?? broker.newId('agent')
  const agent: AgentRow = {
    lineageId: id,
    name: 'Test agent',
    publicJwk: '{}',
    keyThumbprint: id,
    clientId: null,
    clientHost: null,
    deployments: '[]',
    status: 'connected',
    createdAtMs: broker.store.now().nowMs,
    ...row,
    id,
  }
  await broker.store.transaction(async (tx) => tx.agents.insert(agent))
  return agent
}
