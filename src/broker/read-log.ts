import { formatVkey } from '../core/merkle/note-key.ts'
import { consistencyNodes, inclusionNodes } from '../core/merkle/proof.ts'
import { encodeEntryBundle, tileExists } from '../core/merkle/tile.ts'
import { TILE_WIDTH } from '../core/merkle/tree.ts'
import type { Log, Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { type CheckpointPublisher, logKeyOf } from './publish-checkpoint.ts'
import { readHashTile, readPath } from './tree-tiles.ts'

type NotFound = { readonly kind: 'not_found' }
/** Bytes that never change; a full tile never gets another name either. */
type LogResource = { readonly kind: 'found'; readonly bytes: Buffer; readonly isFull: boolean }
type LogPath = { readonly kind: 'found'; readonly proof: readonly Buffer[] }
type LogInclusion = LogPath & { readonly leafIndex: number; readonly treeSize: number }

/** The published log, as surfaces serve it. Nothing beyond the newest checkpoint is ever shown. */
export type LogReader = {
  /** The newest signed note; undefined before the first. */
  checkpoint(): string | undefined
  vkey(): string
  tile(level: number, index: number, width: number): Promise<LogResource | NotFound>
  entries(index: number, width: number): Promise<LogResource | NotFound>
  /** The proof that a leaf is in the tree of a size; of the newest checkpoint unless told otherwise. */
  inclusion(leafIndex: number, treeSize?: number): Promise<LogInclusion | NotFound>
  inclusionOfEvent(eventId: string): Promise<LogInclusion | NotFound>
  consistency(fromSize: number, toSize: number): Promise<LogPath | NotFound>
}

const NOT_FOUND: NotFound = { kind: 'not_found' }

/** What a reader reads: the current log, or one that has ended. */
export type ReadableLog = {
  readonly store: Pick<Broker['store'], 'read'>
  /** Leaves and hashes of this log as a unit of work sees them. */
  rowsOf(tx: Tx): { readonly log: Pick<Log, 'leaves' | 'leafHashes' | 'nodes' | 'leafByEvent'> }
  /** The newest signed checkpoint, and the size it speaks of. */
  newest(): { readonly note: string; readonly treeSize: number } | undefined
  vkey(): string
}

/** Reads of the log cost what a few tiles cost, however long it grows. */
export function openLogReader(broker: Broker, publisher: Pick<CheckpointPublisher, 'newest'>): LogReader {
  return readerOf({
    store: broker.store,
    rowsOf: (tx) => tx,
    newest: () => publisher.newest(),
    vkey: () => formatVkey(logKeyOf(broker)),
  })
}

/** Serves one log, up to its newest checkpoint. */
export function readerOf({ store, rowsOf, newest, vkey }: ReadableLog): LogReader {
  const published = () => newest()?.treeSize ?? 0

  async function inclusion(leafIndex: number, treeSize = published()): Promise<LogInclusion | NotFound> {
    if (!isPublished(treeSize) || !Number.isSafeInteger(leafIndex) || leafIndex < 0 || leafIndex >= treeSize)
      return NOT_FOUND
    const proof = await store.read((tx) =>
      readPath(rowsOf(tx), inclusionNodes(leafIndex, treeSize), treeSize),
    )
    return { kind: 'found', proof, leafIndex, treeSize }
  }
  function isPublished(treeSize: number): boolean {
    return Number.isSafeInteger(treeSize) && treeSize >= 0 && treeSize <= published()
  }
  function isServed(level: number | 'entries', index: number, width: number): boolean {
    const isName = Number.isSafeInteger(index) && index >= 0 && Number.isInteger(width) && width <= TILE_WIDTH
    const isLevel = level === 'entries' || (Number.isInteger(level) && level >= 0 && level <= 63)
    return isName && isLevel && tileExists({ level, index, width }, published())
  }

  return {
    checkpoint: () => newest()?.note,
    vkey,
    async tile(level, index, width) {
      if (!isServed(level, index, width)) return NOT_FOUND
      const bytes = await store.read((tx) => readHashTile(rowsOf(tx), { level, index, width }))
      return { kind: 'found', bytes, isFull: width === TILE_WIDTH }
    },
    async entries(index, width) {
      if (!isServed('entries', index, width)) return NOT_FOUND
      const leaves = await store.read(async (tx) => rowsOf(tx).log.leaves(index * TILE_WIDTH, width))
      const bytes = encodeEntryBundle(leaves.map((row) => row.leaf))
      return { kind: 'found', bytes, isFull: width === TILE_WIDTH }
    },
    inclusion,
    async inclusionOfEvent(eventId) {
      const row = await store.read(async (tx) => rowsOf(tx).log.leafByEvent(eventId))
      return row ? inclusion(row.leafIndex) : NOT_FOUND
    },
    async consistency(fromSize, toSize) {
      if (!isPublished(fromSize) || !isPublished(toSize) || fromSize > toSize) return NOT_FOUND
      const proof = await store.read((tx) => readPath(rowsOf(tx), consistencyNodes(fromSize, toSize), toSize))
      return { kind: 'found', proof }
    },
  }
}
