import { randomBytes } from 'node:crypto'
import type { Database } from 'better-sqlite3'
import { sealerFor } from '../../src/broker/leaf-sealer.ts'
import { openLogReader } from '../../src/broker/read-log.ts'
import type { RunningBroker } from '../../src/compose.ts'
import { leafBytes } from '../../src/core/log/leaf.ts'
import { appendLeafHash, EMPTY_EDGE, hashLeaf } from '../../src/core/merkle/tree.ts'
import { createIds } from '../../src/keys/new-id.ts'
import { sqliteTables } from '../../src/store/schema/sqlite.ts'
import { SILENT, startBenchBroker } from './bench-broker.ts'
import { insertMany, rowInserter } from './bulk-insert.ts'
import { fillDatabase } from './fill-database.ts'
import { median } from './statistics.ts'

/** What a log of this size costs; medians. */
export type LogCost = {
  readonly leaves: number
  /** One of many leaves in one commit, sealing not counted. */
  readonly appendMicroseconds: number
  readonly inclusionMicroseconds: number
  readonly consistencyMicroseconds: number
  /** From an existing folder to a broker that answers. */
  readonly startMs: number
}

const SKILL_ORIGIN = 'http://127.0.0.1:9101'
const LEAVES_AT_ONCE = 256
const PROOFS_AT_ONCE = 20
const AGO_MS = 86_400_000

type Log = { running: RunningBroker; leaves: number; startMs: number }

/** Fills logs of these sizes and measures them in turns. */
export async function measureLogs(
  folderFor: (leaves: number) => string,
  sizes: readonly number[],
  repeats: number,
  random: () => number,
): Promise<LogCost[]> {
  const logs: Log[] = []
  try {
    for (const leaves of sizes) logs.push(await openLog(folderFor(leaves), leaves))
    const taken = logs.map(() => ({
      append: [] as number[],
      inclusion: [] as number[],
      consistency: [] as number[],
    }))
    for (let round = 0; round < repeats; round += 1) {
      for (const [i, log] of logs.entries()) {
        taken[i]?.append.push(await appendMicroseconds(log))
        const proofs = await proofMicroseconds(log, random)
        taken[i]?.inclusion.push(proofs.inclusion)
        taken[i]?.consistency.push(proofs.consistency)
      }
    }
    return logs.map(({ leaves, startMs }, i) => ({
      leaves,
      appendMicroseconds: median(taken[i]?.append ?? []),
      inclusionMicroseconds: median(taken[i]?.inclusion ?? []),
      consistencyMicroseconds: median(taken[i]?.consistency ?? []),
      startMs,
    }))
  } finally {
    for (const { running } of logs) await running.stop()
  }
}

async function openLog(folder: string, leaves: number): Promise<Log> {
  await fillDatabase(folder, (db) => seedLeaves(db, leaves))
  const options = { folder, port: 0, skillOrigin: SKILL_ORIGIN }
  // This start signs a checkpoint over what was filled in; it is the next one that a restart costs.
  const first = await startBenchBroker(options, SILENT)
  await first.stop()
  const startedMs = performance.now()
  const running = await startBenchBroker(options, SILENT)
  return { running, leaves, startMs: performance.now() - startedMs }
}

/** Leaves as the broker writes them, whose parts are gone. */
function seedLeaves(db: Database, count: number): void {
  const insertLeaf = rowInserter(db, sqliteTables.logLeaves)
  const insertNode = rowInserter(db, sqliteTables.logNodes)
  const atMs = Date.now() - AGO_MS
  const newId = createIds(() => atMs)
  const commitment = randomBytes(32).toString('base64url')
  const commitments = { core: commitment, subj: commitment, body: commitment }
  let edge = EMPTY_EDGE
  insertMany(db, count, (leafIndex) => {
    const eventId = newId('event')
    const content = { type: 'decision', outcome: 'permit', reason: 'permitted' } as const
    const leaf = leafBytes(content, eventId, atMs, 'A'.repeat(43), commitments)
    const leafHash = hashLeaf(leaf)
    insertLeaf({ leafIndex, eventId, leaf, leafHash, atMs })
    const appended = appendLeafHash(edge, leafHash)
    edge = appended.edge
    for (const node of appended.stored) insertNode(node)
  })
}

async function appendMicroseconds({ running: { broker } }: Log): Promise<number> {
  const seal = await sealerFor(broker, { userId: '', skillId: '' })
  const content = { type: 'counted', outcome: 'counted', reason: 'bench' } as const
  const { nowMs } = broker.store.now()
  const sealed = Array.from({ length: LEAVES_AT_ONCE }, () => seal(content, nowMs))
  const startedMs = performance.now()
  await broker.store.transaction(async (tx) => {
    for (const leaf of sealed) await tx.log.append(leaf, tx.nowMs)
  })
  return ((performance.now() - startedMs) * 1000) / LEAVES_AT_ONCE
}

/** Proofs of leaves and sizes anywhere in the tree, against the newest checkpoint. */
async function proofMicroseconds(
  { running: { broker, publisher } }: Log,
  random: () => number,
): Promise<{ inclusion: number; consistency: number }> {
  const { treeSize } = await publisher.publishNow()
  const reader = openLogReader(broker, publisher)
  const places = Array.from({ length: PROOFS_AT_ONCE }, () => Math.floor(random() * treeSize))
  const timed = async (prove: (place: number) => Promise<{ kind: string }>): Promise<number> => {
    const startedMs = performance.now()
    for (const place of places) {
      if ((await prove(place)).kind !== 'found') throw new Error(`no proof for ${place} of ${treeSize}`)
    }
    return ((performance.now() - startedMs) * 1000) / PROOFS_AT_ONCE
  }
  return {
    inclusion: await timed((place) => reader.inclusion(place, treeSize)),
    consistency: await timed((place) => reader.consistency(place + 1, treeSize)),
  }
}
