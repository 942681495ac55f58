import { erasedBy } from '../core/erasure/erasure-steps.ts'
import type { JsonValue } from '../core/json-value.ts'
import { openPart, saltOfPart } from '../core/log/part.ts'
import { plainJson } from '../core/manifest/manifest-change.ts'
import { parseStrictJsonBytes } from '../core/strict-json.ts'
import type { PartPlace } from '../ports/erasure-rows.ts'
import type { PersonRef } from '../ports/people-rows.ts'
import type { Page, Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import type { ExportPlace } from './export-place.ts'
import { listChannels } from './list-channels.ts'
import { listMemory } from './list-memory.ts'
import { placedLeaf, proveLeaf } from './prove-leaf.ts'
import type { CheckpointPublisher, PublishedCheckpoint } from './publish-checkpoint.ts'
import { receiptFor } from './receipt.ts'
import { openText } from './seal-text.ts'
import { erasureView } from './show-erasure.ts'

export type ExportPage = {
  readonly format: 'countersign-export/1'
  readonly userId: string
  readonly exportedAtMs: number
  /** What this page holds: `person` is one page, the others may be several. */
  readonly part: 'person' | 'memory' | 'actions' | 'events'
  readonly items: readonly JsonValue[]
  /** Null after the last page. */
  readonly next: ExportPlace | null
}

const ACTIONS_AT_ONCE = 50
const MEMORY_AT_ONCE = 100
/** Parts of everybody's events looked through for a page. */
const PARTS_AT_ONCE = 2_000
const ROWS_MOST = 10_000

/**
 * One page of everything the broker holds about a person: the person and what they allowed, then what agents remember, then every action with its
 * receipt, then every event of the log with its parts opened. What was destroyed shows as erased.
 */
export async function exportPerson(
  broker: Broker,
  publisher: Pick<CheckpointPublisher, 'newest'>,
  { userId, place }: { userId: string; place: ExportPlace | null },
): Promise<ExportPage> {
  const { nowMs } = broker.store.now()
  const about = { format: 'countersign-export/1', userId, exportedAtMs: nowMs } as const
  if (place === null) {
    const items = [plainJson(await personOf(broker, userId))]
    return { ...about, part: 'person', items, next: { part: 'memory', before: null } }
  }
  if (place.part === 'memory') return { ...about, ...(await memoryOf(broker, userId, place.before)) }
  if (place.part === 'actions')
    return { ...about, ...(await actionsOf(broker, publisher, userId, place.before)) }
  return { ...about, ...(await eventsOf(broker, publisher, userId, place.after)) }
}

async function personOf(broker: Broker, userId: string) {
  const who: PersonRef = { kind: 'user', id: userId }
  const rows = await broker.store.read(async (tx) => {
    const erasure = await tx.erasures.newestOf(userId)
    const accounts = await tx.linkedAccounts.list(userId)
    return {
      user: (await tx.users.find(userId)) ?? null,
      person: (await tx.people.find(who)) ?? null,
      sessions: (await tx.personSessions.list(who)).map(({ tokenHash: _, ...session }) => session),
      providerAccounts: (await tx.personAccounts.list(who)).map(({ createdAtMs }) => ({ createdAtMs })),
      recoveryCodesLeft: (await tx.recoveryCodes.list(who)).length,
      agents: await tx.agents.list(userId),
      grants: await everyRow((page) => tx.grants.list(userId, page)),
      consentRequests: await everyRow((page) => tx.consentRequests.list(userId, page)),
      approvals: await everyRow((page) => tx.approvals.list(userId, null, page)),
      budgets: await tx.budgets.list(userId),
      recipients: await tx.recipients.list(userId),
      // What signs in at a skill is a secret between the broker and it.
      linkedAccounts: accounts.map(({ tokens: _, ...account }) => account),
      counters: await tx.counters.list(userId),
      commitments: await tx.commitments.list(userId, 'running'),
      openIncidents: await tx.incidents.openOf(userId),
      isHeld: (await tx.legalHolds.find(userId)) !== undefined,
      erasure: erasure ? erasureView(erasure) : null,
      // What skills may keep, and what they were told to delete.
      skillDuties: await tx.skillDuties.list(userId, null),
      deletionNotices: await everyNotice(tx, userId),
      partErasures: (await tx.erasures.ofParts(userId, 1_000)).map(erasureView),
    }
  })
  return {
    ...rows,
    passkeys: await passkeysOf(broker, who),
    channels: await listChannels(broker, { userId }),
  }
}

async function passkeysOf(broker: Broker, who: PersonRef) {
  const rows = await broker.store.read(async (tx) => tx.passkeys.list(who))
  return Promise.all(
    rows.map(async ({ credentialId, name, createdAtMs, lastUsedAtMs }) => ({
      credentialId,
      name: name === '' ? '' : ((await openText(broker, name)) ?? null),
      createdAtMs,
      lastUsedAtMs,
    })),
  )
}

async function everyNotice(tx: Tx, userId: string) {
  const list = async (page: Page) =>
    (await tx.skillNotices.list(userId, page)).map((row) => ({ ...row, createdAtMs: row.queuedAtMs }))
  return (await everyRow(list)).map(({ createdAtMs: _, ...row }) => row)
}

async function everyRow<Row extends { id: string; createdAtMs: number }>(
  list: (page: Page) => PromiseLike<Row[]> | Row[],
): Promise<Row[]> {
  const rows: Row[] = []
  for (let before: Page['before'] = null; rows.length < ROWS_MOST; ) {
    const page = await list({ limit: 200, before })
    rows.push(...page)
    const last = page.at(-1)
    if (!last || page.length < 200) break
    before = { atMs: last.createdAtMs, id: last.id }
  }
  return rows
}

/** What agents remember, as its person sees it on their page. */
async function memoryOf(
  broker: Broker,
  userId: string,
  before: Page['before'],
): Promise<Pick<ExportPage, 'part' | 'items' | 'next'>> {
  const { items, next } = await listMemory(broker, { userId, page: { limit: MEMORY_AT_ONCE, before } })
  return {
    part: 'memory',
    items: items.map(plainJson),
    next: next === null ? { part: 'actions', before: null } : { part: 'memory', before: next },
  }
}

async function actionsOf(
  broker: Broker,
  publisher: Pick<CheckpointPublisher, 'newest'>,
  userId: string,
  before: Page['before'],
): Promise<Pick<ExportPage, 'part' | 'items' | 'next'>> {
  const search = { userId, agentId: null, skillId: null, status: null, fromMs: null, toMs: null }
  const rows = await broker.store.read(async (tx) =>
    tx.actions.list(search, { limit: ACTIONS_AT_ONCE, before }),
  )
  const items: JsonValue[] = []
  for (const row of rows) {
    const { leafHash, settleLeafHash, nodeId: _, ...action } = row
    const receipt = await receiptFor(broker, publisher, row.id, { kind: 'user', userId })
    items.push(
      plainJson({
        ...action,
        leafHash: leafHash?.toString('base64url') ?? null,
        settleLeafHash: settleLeafHash?.toString('base64url') ?? null,
        receipt: receipt.kind === 'receipt' ? receipt.receipt : { none: receipt.kind },
      }),
    )
  }
  const last = rows.length < ACTIONS_AT_ONCE ? undefined : rows.at(-1)
  const next: ExportPlace = last
    ? { part: 'actions', before: { atMs: last.decidedAtMs, id: last.id } }
    : { part: 'events', after: '' }
  return { part: 'actions', items, next }
}

async function eventsOf(
  broker: Broker,
  publisher: Pick<CheckpointPublisher, 'newest'>,
  userId: string,
  after: string,
): Promise<Pick<ExportPage, 'part' | 'items' | 'next'>> {
  const page = await broker.store.read(async (tx) => tx.personalRows.partsAfter(after, PARTS_AT_ONCE))
  const isLast = page.length < PARTS_AT_ONCE
  const cut = page.at(-1)?.eventId
  const whole = isLast ? page : page.filter(({ eventId }) => eventId !== cut)
  const byEvent = Map.groupBy(
    whole.filter((part) => part.userId === userId),
    ({ eventId }) => eventId,
  )
  const checkpoint = publisher.newest()
  const items: JsonValue[] = []
  for (const [eventId, places] of byEvent) items.push(await eventOf(broker, checkpoint, eventId, places))
  const newest = whole.at(-1)?.eventId
  return {
    part: 'events',
    items,
    next: isLast || newest === undefined ? null : { part: 'events', after: newest },
  }
}

/**
 * One event with its parts opened, and what it takes to hold them against the log without the broker: each part's salt
 * gives the commitment that stands in the leaf, and the proof leads from the leaf to the checkpoint.
 */
async function eventOf(
  broker: Broker,
  checkpoint: PublishedCheckpoint | undefined,
  eventId: string,
  places: readonly PartPlace[],
): Promise<JsonValue> {
  const found = await broker.store.read(async (tx: Tx) => {
    const leaf = await placedLeaf(tx, eventId)
    const isProven = leaf && checkpoint && (leaf.epoch !== null || leaf.leafIndex < checkpoint.treeSize)
    const proven = isProven ? await proveLeaf(tx, leaf, checkpoint.treeSize) : undefined
    return { leaf, proven, parts: await tx.log.parts(eventId) }
  })
  const parts: Record<string, JsonValue> = {}
  const keys = await broker.cells.findAll(places.map(({ cellId }) => cellId))
  for (const { part, cellId } of places) {
    const row = found.parts.find((candidate) => candidate.part === part)
    const key = keys.get(cellId)
    const bytes = row && key && openPart(key, eventId, part, row)
    const parsed = bytes && parseStrictJsonBytes(bytes)
    parts[part] = parsed?.ok
      ? {
          verdict: 'present',
          value: parsed.value,
          salt: row && key ? (saltOfPart(key, eventId, part, row)?.toString('base64url') ?? null) : null,
        }
      : { verdict: erasedBy(cellId) === undefined ? 'not_readable' : 'erased' }
  }
  return plainJson({
    eventId,
    leafIndex: found.leaf?.leafIndex ?? null,
    leaf: found.leaf?.leaf.toString('utf8') ?? null,
    proven: found.proven ?? null,
    checkpoint: found.proven && checkpoint ? checkpoint.note : null,
    parts,
  })
}
