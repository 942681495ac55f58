import { erasedBy, GONE_AT_RESTORE } from '../../core/erasure/erasure-steps.ts'
import { epochLeafBytes, type NamedHead } from '../../core/log/epoch-leaf.ts'
import { appendLeafHash, type Edge, EMPTY_EDGE, hashLeaf } from '../../core/merkle/tree.ts'
import { RESTORE_RULES, type RestoreRule } from '../../core/restore-rules.ts'
import { BackupDamaged, type Manifest } from './manifest.ts'
import { type Row, TABLE_LAYOUTS, type TableLayout, type Value, valueAt, withValues } from './table-layout.ts'
import type { TableSink, TableSource } from './table-source.ts'
import { TreeWatch } from './tree-watch.ts'
import { watchRow } from './watch-rows.ts'
import type { Progress } from './write-backup.ts'

export type RestoreFacts = {
  readonly restoredAtMs: number
  /** Of the log that begins now. */
  readonly epoch: number
  /** The log that ends. */
  readonly previousOrigin: string
  /** The newest head the register knows of it; undefined where the register is lost or was never written. */
  readonly registered: NamedHead | undefined
  /** The id of the new log's first leaf. */
  readonly eventId: string
  readonly policyDigest: string
  /** Which of these cells the key store still holds; what is sealed under others is not brought back. */
  livingCells(cellIds: readonly string[]): Promise<ReadonlySet<string>>
  /** Marks of the new database, by name. */
  readonly marks: Readonly<Record<string, string>>
  /** Whether everything stands still until an operator has looked: freezes newer than the backup are forgotten. */
  readonly freezes: boolean
}

/** How many rows of each table were put back, and how many of them not as they were. */
export type RestoreReport = {
  readonly rows: number
  readonly suspendedGrants: number
  readonly voidApprovals: number
  readonly erasedParts: number
  readonly held: NamedHead
  readonly published: NamedHead
}

/**
 * Puts a backup's rows into an empty store the way a restored store has to begin: its log is a new one, and whatever
 * permitted something waits. Nothing is kept before `commit`, and nothing must be if this throws.
 *
 * @throws BackupDamaged if the backup contradicts itself or the register.
 */
export async function restoreRows(
  source: TableSource,
  manifest: Manifest,
  sink: TableSink,
  facts: RestoreFacts,
  progress: Progress = () => undefined,
): Promise<RestoreReport> {
  const watch = new TreeWatch()
  const { registered } = facts
  // What was published and is here must be the same; what is not here can only be named.
  if (registered && registered.treeSize <= manifest.log.treeSize) watch.expectHead(null, registered)
  const changed = new Map<string, number>()
  const ended: Row[] = []
  const queued: Row[] = []
  let rows = 0

  for (const table of TABLE_LAYOUTS) {
    const rule = RESTORE_RULES[table.name]
    if (!rule) throw new BackupDamaged(`this version does not know how to restore ${table.name}`)
    let seen = 0
    for await (const batch of source.rows(table)) {
      for (const row of batch) watchRow(watch, table, row)
      seen += batch.length
      progress(table.name, seen)
      if (table.name === 'past_logs') ended.push(...batch)
      if (table.name === 'log_queue') queued.push(...batch)
      const [into, kept] = await carry(table, batch, rule, manifest.log.epoch, facts, changed)
      await sink.insert(into, kept)
      rows += kept.length
    }
  }
  const faults = watch.finish()
  if (faults.length > 0) throw new BackupDamaged(`the log in this backup is damaged: ${faults.join('; ')}`)
  const held = watch.head()
  if (held.treeSize !== manifest.log.treeSize || held.rootHash.toString('base64') !== manifest.log.rootHash)
    throw new BackupDamaged('the log in this backup is not the one its manifest names')

  const published = publishedHead(manifest, registered, held)
  await sink.insert(layout('past_logs'), [...ended, endedRow(manifest, held, published, facts)])
  await beginLog(sink, queued, { held, published }, facts)
  await sink.insert(
    layout('deployment_marks'),
    Object.entries(facts.marks).map(([name, value]) => [name, value]),
  )
  if (facts.freezes) await freezePlatform(sink, changed.get('platform_frozen') ?? 0, facts.restoredAtMs)
  return {
    rows,
    suspendedGrants: changed.get('grants') ?? 0,
    voidApprovals: changed.get('approvals') ?? 0,
    erasedParts: changed.get('leaf_parts') ?? 0,
    held: { treeSize: held.treeSize, rootHash: held.rootHash },
    published,
  }
}

/** Where rows go, and as what. */
async function carry(
  table: TableLayout,
  batch: readonly Row[],
  rule: RestoreRule,
  epoch: number,
  facts: RestoreFacts,
  changed: Map<string, number>,
): Promise<[TableLayout, readonly Row[]]> {
  const count = (name: string, more: number) => changed.set(name, (changed.get(name) ?? 0) + more)
  switch (rule.kind) {
    case 'kept':
      if (table.name === 'freezes')
        count('platform_frozen', batch.filter((row) => valueAt(table, row, 'id') === PLATFORM).length)
      return [table, batch]
    case 'dropped':
      return [table, []]
    case 'moved':
      return movedRows(table, batch, epoch)
    case 'while_key_lives': {
      const cellOf = (row: Row) => String(valueAt(table, row, rule.column))
      const alive = await facts.livingCells([...new Set(batch.map(cellOf))])
      const kept = batch.flatMap((row) => {
        if (alive.has(cellOf(row)) || isMark(cellOf(row))) return [row]
        count(table.name, 1)
        if (!rule.leavesMark) return []
        return [withValues(table, row, { [rule.column]: GONE_AT_RESTORE, sealed: Buffer.alloc(0) })]
      })
      return [table, kept]
    }
    case 'changed':
      return [
        table,
        batch.map((row) => {
          const change = rule.change(named(table, row, rule.columns))
          if (!change) return row
          count(table.name, 1)
          return withValues(table, row, change)
        }),
      ]
  }
}

/** What is left of a part that was erased: it has no key, and says by which erasure. */
function isMark(cellId: string): boolean {
  return erasedBy(cellId) !== undefined || cellId === GONE_AT_RESTORE
}

function movedRows(table: TableLayout, batch: readonly Row[], epoch: number): [TableLayout, readonly Row[]] {
  const into = { log_leaves: 'past_leaves', log_nodes: 'past_nodes' }[table.name]
  if (into === undefined) return [table, []]
  const target = layout(into)
  const moved = batch.map((row) =>
    target.columns.map(({ name }) => (name === 'epoch' ? epoch : valueAt(table, row, name))),
  )
  return [target, moved]
}

function named(
  table: TableLayout,
  row: Row,
  columns: readonly string[],
): Record<string, string | number | boolean | null> {
  return Object.fromEntries(
    columns.map((column) => {
      const value = valueAt(table, row, column)
      return [column, Buffer.isBuffer(value) ? null : value]
    }),
  )
}

/** The newest head that may have been published: by the register, or else by the newest checkpoint that is here. */
function publishedHead(manifest: Manifest, registered: NamedHead | undefined, held: NamedHead): NamedHead {
  const { checkpoint } = manifest.log
  const signed = checkpoint
    ? { treeSize: checkpoint.treeSize, rootHash: Buffer.from(checkpoint.rootHash, 'base64') }
    : undefined
  if (registered && (!signed || registered.treeSize >= signed.treeSize)) return registered
  return signed ?? { treeSize: held.treeSize, rootHash: held.rootHash }
}

function endedRow(manifest: Manifest, held: NamedHead, published: NamedHead, facts: RestoreFacts): Row {
  const values: Record<string, Value> = {
    epoch: manifest.log.epoch,
    origin: facts.previousOrigin,
    tree_size: held.treeSize,
    root_hash: held.rootHash,
    note: manifest.log.checkpoint?.note ?? null,
    note_size: manifest.log.checkpoint?.treeSize ?? 0,
    published_size: published.treeSize,
    published_root: published.rootHash,
    ended_at_ms: manifest.log.newestAtMs,
    restored_at_ms: facts.restoredAtMs,
  }
  return rowOf('past_logs', values)
}

/** Writes the first leaf of the new log, and after it what was committed and had no place in the old one yet. */
async function beginLog(
  sink: TableSink,
  queued: readonly Row[],
  { held, published }: { held: NamedHead; published: NamedHead },
  facts: RestoreFacts,
): Promise<void> {
  const { eventId, policyDigest, previousOrigin, restoredAtMs } = facts
  const first = epochLeafBytes({
    eventId,
    atMs: restoredAtMs,
    policyDigest,
    previousOrigin,
    published,
    held,
  })
  let edge: Edge = EMPTY_EDGE
  const append = async (id: string, leaf: Buffer, atMs: number) => {
    const leafHash = hashLeaf(leaf)
    await sink.insert(layout('log_leaves'), [
      rowOf('log_leaves', {
        leaf_index: edge.treeSize,
        event_id: id,
        leaf,
        leaf_hash: leafHash,
        at_ms: atMs,
      }),
    ])
    const appended = appendLeafHash(edge, leafHash)
    edge = appended.edge
    const nodes = appended.stored.map(({ level, nodeIndex, hash }) =>
      rowOf('log_nodes', { level, node_index: nodeIndex, hash }),
    )
    await sink.insert(layout('log_nodes'), nodes)
  }
  await append(eventId, first, restoredAtMs)
  const queue = layout('log_queue')
  for (const row of queued) {
    const leaf = valueAt(queue, row, 'leaf')
    if (!Buffer.isBuffer(leaf)) throw new BackupDamaged('a queued leaf without bytes')
    await append(String(valueAt(queue, row, 'event_id')), leaf, restoredAtMs)
  }
}

const PLATFORM = 'platform:*'

/** An operator lifts it after looking at what was frozen, suspended and revoked since the backup. */
async function freezePlatform(sink: TableSink, already: number, atMs: number): Promise<void> {
  if (already > 0) return
  await sink.insert(layout('freezes'), [
    rowOf('freezes', {
      id: PLATFORM,
      kind: 'platform',
      target: '*',
      includes_clean_up: false,
      reason: 'restored from a backup: look at what was frozen, suspended and revoked since, then lift this',
      operator_id: 'restore',
      created_at_ms: atMs,
    }),
  ])
}

function layout(name: string): TableLayout {
  const found = TABLE_LAYOUTS.find((table) => table.name === name)
  if (!found) throw new TypeError(`no table ${name}`)
  return found
}

/** @throws TypeError for a column that was left out: a new one needs a value here. */
function rowOf(name: string, values: Readonly<Record<string, Value>>): Row {
  return layout(name).columns.map((column) => {
    const value = values[column.name]
    if (value === undefined) throw new TypeError(`${name}.${column.name} has no value`)
    return value
  })
}
