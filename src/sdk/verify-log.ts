import { type Checkpoint, verifyCheckpoint } from '../core/merkle/checkpoint.ts'
import { auditLog, auditOrder, type LogFault } from '../core/merkle/log-audit.ts'
import type { VerifiedSignature } from '../core/merkle/note.ts'
import type { NoteKey } from '../core/merkle/note-key.ts'
import { type LogSource, readCheckpoint, readResource, type SourceRead } from './log-source.ts'

/** Whom the auditor trusts, and which log it means to read. */
export interface LogTrust {
  /** The key that signs now: what is read from the log is verified by it alone. */
  readonly logKey: NoteKey
  /**
   * Keys that were rotated out. They verify a checkpoint that somebody kept from before (`followLog`), nothing that is
   * served: one of them may have leaked since.
   */
  readonly previousLogKeys?: readonly NoteKey[]
  readonly witnessKeys?: readonly NoteKey[]
  /** The log's key name unless told otherwise. */
  readonly origin?: string
}

export type LogVerdict =
  | {
      readonly kind: 'verified'
      readonly checkpoint: Checkpoint
      /** The signed note, verbatim: keep it and follow the log from it. */
      readonly note: string
      readonly signatures: readonly VerifiedSignature[]
    }
  | { readonly kind: 'fault'; readonly fault: LogFault }

// Enough to hide a round trip to a server; more would only hold more bundles in memory.
const READS_AHEAD = 16

/**
 * Verifies a whole log: the signature of its newest checkpoint, every entry, every tile, the root.
 *
 * It cannot see that a history was rewritten and signed again before anybody looked: that takes an older
 * checkpoint (`followLog`) or a witness.
 *
 * @param onEntry sees each entry in order, before the end is known to be good.
 * @returns the first fault found, with the first leaf it concerns. Rejects only if `onEntry` throws.
 */
export async function verifyLog(
  source: LogSource,
  trust: LogTrust,
  onEntry?: (entry: Buffer, leafIndex: number) => void,
): Promise<LogVerdict> {
  const head = await readHead(source, trust)
  if (head.kind === 'fault') return head
  const order = auditOrder(head.checkpoint.treeSize)
  const ahead: Promise<SourceRead>[] = []
  const readAhead = () => {
    const next = order.next()
    if (!next.done) ahead.push(readResource(source, next.value))
  }
  for (let i = 0; i < READS_AHEAD; i += 1) readAhead()

  const audit = auditLog(head.checkpoint, onEntry)
  let step = audit.next()
  while (!step.done) {
    const read = await (ahead.shift() ?? readResource(source, step.value))
    if (read.kind === 'unavailable') {
      return { kind: 'fault', fault: { code: 'unavailable', path: read.path, detail: read.detail } }
    }
    readAhead()
    step = audit.next(read.bytes)
  }
  return step.value === undefined ? head : { kind: 'fault', fault: step.value }
}

/** Reads the newest checkpoint of a log and verifies its signature, nothing more. Never rejects. */
export async function readHead(source: LogSource, trust: LogTrust): Promise<LogVerdict> {
  const read = await readCheckpoint(source)
  if (read.kind === 'unavailable') {
    return { kind: 'fault', fault: { code: 'unavailable', path: read.path, detail: read.detail } }
  }
  const head = verifyCheckpoint(read.note, trust.logKey, trust.witnessKeys, trust.origin)
  if (head.kind === 'refused') return { kind: 'fault', fault: { code: head.code } }
  return {
    kind: 'verified',
    checkpoint: head.checkpoint,
    note: read.note,
    signatures: head.signatures,
  }
}
