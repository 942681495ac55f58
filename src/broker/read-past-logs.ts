import type { PastLogRow } from '../ports/epoch-store.ts'
import type { Broker } from './broker.ts'
import { pastTree } from './prove-leaf.ts'
import { type LogReader, readerOf } from './read-log.ts'

/** An ended log as anybody may know it. */
export type PastLog = Pick<
  PastLogRow,
  | 'epoch'
  | 'origin'
  | 'treeSize'
  | 'rootHash'
  | 'publishedSize'
  | 'publishedRoot'
  | 'endedAtMs'
  | 'restoredAtMs'
>

/** Logs that ended when the store was restored, oldest first. */
export function listPastLogs(broker: Pick<Broker, 'store'>): Promise<PastLog[]> {
  return broker.store.read(async (tx) => tx.pastLogs.list())
}

/**
 * Reads an ended log as it was published, up to the newest checkpoint that came with the backup. Leaves after that
 * were never shown under its name and are not; receipts prove them through the log that came after it.
 */
export async function openPastLog(
  broker: Pick<Broker, 'store'>,
  epoch: number,
): Promise<Omit<LogReader, 'vkey'> | undefined> {
  const log = await broker.store.read(async (tx) => tx.pastLogs.find(epoch))
  if (!log) return undefined
  const { note, noteSize } = log
  return readerOf({
    store: broker.store,
    rowsOf: (tx) => ({
      log: {
        ...pastTree(tx, epoch).log,
        leaves: (fromIndex, limit) => tx.pastLogs.leaves(epoch, fromIndex, limit),
        async leafByEvent(eventId) {
          const leaf = await tx.pastLogs.leafByEvent(eventId)
          return leaf?.epoch === epoch ? leaf : undefined
        },
      },
    }),
    newest: () => (note === null ? undefined : { note, treeSize: noteSize }),
    // Whoever verifies an old checkpoint has the key from when the log lived.
    vkey: () => '',
  })
}
