import { z } from 'zod'
import { erasedBy } from '../core/erasure/erasure-steps.ts'
import { PART_NAMES, type PartName } from '../core/log/leaf.ts'
import { openPart } from '../core/log/part.ts'
import { type ErasureClaim, judgePart, PART_VERDICTS, type PartVerdict } from '../core/log/part-verdict.ts'
import { parseStrictJsonBytes } from '../core/strict-json.ts'
import type { Cells } from '../ports/cells.ts'
import type { ErasureRow } from '../ports/erasure-rows.ts'
import type { LeafPartRow } from '../ports/rows.ts'
import type { Store, Tx } from '../ports/store.ts'
import { type KeptFor, keptForShape } from './retention.ts'

type Looking = {
  readonly store: Pick<Store, 'read'>
  readonly cells: Pick<Cells, 'findAll'>
  /** For how long parts are kept where the log does not say. */
  readonly keepPartsDays: KeptFor
  readonly nowMs: number
}

/** One leaf with where it is: null for the current log. */
type Placed = { readonly epoch: number | null; readonly leafIndex: number; readonly leaf: Buffer }

export type PartAlarm = {
  readonly verdict: 'MISSING' | 'MISMATCH'
  readonly eventId: string
  readonly part: string
  /** Null for a log that has ended, whose number is `epoch`. */
  readonly leafIndex: number
  readonly epoch: number | null
}

export type PartAudit = {
  readonly counts: Readonly<Record<PartVerdict, number>>
  readonly alarms: readonly PartAlarm[]
  /** What each erasure took, by the leaf that says how much. */
  readonly erasures: readonly (ErasureClaim & { readonly erasureId: string })[]
}

/** Is told each part with its verdict, in the order of the leaves; `leafIndex` of an erasure says which one. */
export type SeePart = (part: {
  readonly eventId: string
  readonly part: string
  readonly verdict: PartVerdict
  readonly erasedByLeaf: number | null
}) => void

const BATCH = 256
const DAY_S = 86_400
const ALARMS_MOST = 1_000
/** Steps in which keys are destroyed and not everything is marked yet. */
const DESTROYING: ReadonlySet<string> = new Set(['keys', 'marks', 'rows', 'farewell', 'channels'])

const leafShape = z.looseObject({
  id: z.string(),
  t: z.string(),
  d: z.string(),
  at: z.number(),
  parts: z.partialRecord(z.enum(PART_NAMES), z.string()),
})
type Leaf = z.infer<typeof leafShape>
const claimShape = z.looseObject({ erasure: z.string(), parts: z.int().min(0) })

/** Says of every part that any leaf commits to whether it is there, was erased, has expired, or should be there and is not. */
export async function auditParts(looking: Looking, see: SeePart = () => undefined): Promise<PartAudit> {
  const claims = await claimsOf(looking)
  const underWay = await destroyingNow(looking)
  const counts: Record<PartVerdict, number> = { present: 0, erased: 0, expired: 0, MISSING: 0, MISMATCH: 0 }
  const alarms: PartAlarm[] = []
  let kept = looking.keepPartsDays
  for await (const batch of everyLeaf(looking)) {
    const found = await partsOf(looking, batch)
    for (const { placed, leaf } of batch) {
      if (leaf.t === 'retention' && leaf.d === 'set') {
        const days = keptForShape.safeParse(found.open(leaf.id, 'core'))
        if (days.success) kept = days.data
      }
      for (const [part, commitment] of Object.entries(leaf.parts) as [PartName, string][]) {
        const row = found.row(leaf.id, part)
        const claim = row && (claims.get(erasedBy(row.cellId) ?? '') ?? claims.get(underWay(row) ?? ''))
        const verdict = judgePart({
          row: row && {
            cellId: row.cellId,
            commitsToLeaf: row.commitment.toString('base64url') === commitment,
          },
          opens: found.opens(row),
          claim,
          isPastItsTime: leaf.at / DAY_S - 1 + kept[part] < Math.floor(looking.nowMs / 1000 / DAY_S),
          isOfEndedLog: placed.epoch !== null,
        })
        counts[verdict] += 1
        const erasedByLeaf = verdict === 'erased' ? (claim?.leafIndex ?? null) : null
        see({ eventId: leaf.id, part, verdict, erasedByLeaf })
        if ((verdict === 'MISSING' || verdict === 'MISMATCH') && alarms.length < ALARMS_MOST)
          alarms.push({
            verdict,
            eventId: leaf.id,
            part,
            leafIndex: placed.leafIndex,
            epoch: placed.epoch,
          })
      }
    }
  }
  const erasures = [...claims].map(([erasureId, claim]) => ({ erasureId, ...claim }))
  return { counts, alarms, erasures }
}

/** Alarms that stand in both: what was being written or destroyed at one of the two moments is none. */
export function lastingAlarms(first: PartAudit, second: PartAudit): readonly PartAlarm[] {
  const again = new Set(second.alarms.map(({ eventId, part }) => `${eventId} ${part}`))
  return first.alarms.filter(({ eventId, part }) => again.has(`${eventId} ${part}`))
}

async function* everyLeaf({ store }: Looking): AsyncGenerator<{ placed: Placed; leaf: Leaf }[]> {
  const epochs: (number | null)[] = await store.read(async (tx) =>
    (await tx.pastLogs.list()).map((log) => log.epoch),
  )
  for (const epoch of [...epochs, null]) {
    for (let from = 0; ; ) {
      const rows = await store.read(async (tx) =>
        epoch === null ? tx.log.leaves(from, BATCH) : tx.pastLogs.leaves(epoch, from, BATCH),
      )
      const batch = rows.flatMap(({ leafIndex, leaf: bytes }) => {
        const parsed = leafShape.safeParse(jsonOf(bytes))
        return parsed.success ? [{ placed: { epoch, leafIndex, leaf: bytes }, leaf: parsed.data }] : []
      })
      if (batch.length > 0) yield batch
      if (rows.length < BATCH) break
      from += rows.length
    }
  }
}

type Found = {
  row(eventId: string, part: string): LeafPartRow | undefined
  opens(row: LeafPartRow | undefined): 'yes' | 'no' | 'no_key'
  open(eventId: string, part: string): unknown
}

/** The parts of some leaves with their keys, in as few questions as go. */
async function partsOf(looking: Looking, batch: readonly { leaf: Leaf }[]): Promise<Found> {
  const rows = new Map<string, LeafPartRow>()
  await looking.store.read(async (tx: Tx) => {
    for (const { leaf } of batch)
      for (const row of await tx.log.parts(leaf.id)) rows.set(`${leaf.id} ${row.part}`, row)
  })
  const cellIds = [...new Set([...rows.values()].map(({ cellId }) => cellId))]
  const keys = await looking.cells.findAll(cellIds.filter((cellId) => erasedBy(cellId) === undefined))
  const bytesOf = (row: LeafPartRow) => {
    const key = keys.get(row.cellId)
    return key && openPart(key, row.eventId, row.part, row)
  }
  return {
    row: (eventId, part) => rows.get(`${eventId} ${part}`),
    opens: (row) => (!row || !keys.has(row.cellId) ? 'no_key' : bytesOf(row) ? 'yes' : 'no'),
    open(eventId, part) {
      const row = rows.get(`${eventId} ${part}`)
      const bytes = row && bytesOf(row)
      return bytes && jsonOf(bytes)
    },
  }
}

/** How much each erasure took by the log's own word, and how much is marked in its name. */
async function claimsOf(looking: Looking): Promise<Map<string, ErasureClaim>> {
  const claims = new Map<string, { leafIndex: number; logged: number; marked: number }>()
  for await (const batch of everyLeaf(looking)) {
    const told = batch.filter(
      ({ leaf }) => leaf.t === 'erasure' && (leaf.d === 'recorded' || leaf.d === 'done'),
    )
    if (told.length === 0) continue
    const found = await partsOf(looking, told)
    for (const { placed, leaf } of told) {
      const core = claimShape.safeParse(found.open(leaf.id, 'core'))
      if (!core.success) continue
      const before = claims.get(core.data.erasure)
      if (before) before.logged += core.data.parts
      else claims.set(core.data.erasure, { leafIndex: placed.leafIndex, logged: core.data.parts, marked: 0 })
    }
  }
  for (let after = ''; ; ) {
    const page = await looking.store.read(async (tx) => tx.personalRows.partsAfter(after, 2_000))
    const last = page.at(-1)?.eventId
    const isWhole = page.length < 2_000
    const whole = isWhole ? page : page.filter(({ eventId }) => eventId !== last)
    for (const { cellId } of whole) {
      const claim = claims.get(erasedBy(cellId) ?? '')
      if (claim) claim.marked += 1
    }
    const next = whole.at(-1)?.eventId
    if (isWhole || next === undefined) return claims
    after = next
  }
}

/** The erasure that destroys a part's key at this moment, by its row. */
async function destroyingNow({
  store,
}: Looking): Promise<(row: { cellId: string; userId: string }) => string | undefined> {
  const open: ErasureRow[] = await store.read(async (tx) => tx.erasures.open(1_000))
  const destroying = open.filter(({ step }) => DESTROYING.has(step))
  const users = new Map(
    destroying.filter(({ scope }) => scope === 'everything').map((row) => [row.userId, row.id] as const),
  )
  const cells = new Map(
    destroying
      .filter(({ scope }) => scope !== 'everything')
      .flatMap((row) => (JSON.parse(row.cells) as string[]).map((cellId) => [cellId, row.id] as const)),
  )
  return ({ cellId, userId }) => cells.get(cellId) ?? users.get(userId)
}

function jsonOf(bytes: Uint8Array): unknown {
  const parsed = parseStrictJsonBytes(bytes)
  return parsed.ok ? parsed.value : undefined
}

/** In the order of the list of verdicts, for who prints them. */
export function countedVerdicts({ counts }: PartAudit): readonly (readonly [PartVerdict, number])[] {
  return PART_VERDICTS.map((verdict) => [verdict, counts[verdict]] as const)
}
