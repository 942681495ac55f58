import { formatCheckpoint } from '../core/merkle/checkpoint.ts'
import { formatNote, signatureOf, signedMessage } from '../core/merkle/note.ts'
import { ED25519, type NoteKey, noteKey } from '../core/merkle/note-key.ts'
import type { CheckpointRegister } from '../ports/checkpoint-register.ts'
import type { TreeHead } from '../ports/store.ts'
import { type BackgroundLoop, startLoop } from './background-loop.ts'
import type { Broker } from './broker.ts'
import { flushCounts } from './flush-counts.ts'
import { fencedStore, type Lease, LeaseLost } from './leases.ts'
import type { Sequencer } from './sequence-log.ts'

/** A signed head that anybody may see. */
export type PublishedCheckpoint = TreeHead & { readonly note: string }

/** The register holds something this log does not follow from: publishing has ended until somebody looks. */
export class RegisterConflict extends Error {
  override name = 'RegisterConflict'
}

/** Another process signs here, and has not yet. */
export class NothingPublished extends Error {
  override name = 'NothingPublished'
}

/** Half of the longest a checkpoint may be behind, so that signing and writing fit into the other half. */
const PAUSE_MS = 500
/** Whoever publishes waits for no user's turn. */
const OWNER = { userId: ':checkpoint' } as const
const COUNTS_EVERY_MS = 60_000

export type CheckpointPublisher = {
  /** The newest published checkpoint; undefined before the first. */
  newest(): PublishedCheckpoint | undefined
  /** Publishes the head as it is now, after whatever is being published. */
  publishNow(): Promise<PublishedCheckpoint>
  /** False once the register contradicted the log. */
  isHealthy(): boolean
  /** Starts publishing by itself, and putting counts into the log once a minute. */
  start(): void
  /** Ends both, with a last leaf of counts and a last checkpoint over everything. */
  stop(): Promise<void>
}

/**
 * Keeps a signed checkpoint at most one second behind the log. Signs nothing while the log does not grow.
 *
 * @param lease Where several processes share the log: whoever holds it signs, the others serve what is stored.
 * @param sequencer Run before each checkpoint, which then covers whatever was committed by then.
 */
export function openCheckpointPublisher(
  broker: Broker,
  register: CheckpointRegister,
  lease?: Lease,
  sequencer?: Sequencer,
): CheckpointPublisher {
  const store = lease ? fencedStore(broker.store, lease) : broker.store
  let newest: PublishedCheckpoint | undefined
  let conflict: RegisterConflict | undefined
  let running: Promise<PublishedCheckpoint> | undefined
  let next: Promise<PublishedCheckpoint> | undefined
  let loops: BackgroundLoop[] = []

  async function publishOnce(): Promise<PublishedCheckpoint> {
    if (conflict) throw conflict
    if (lease && !lease.isHeld()) return followOnce()
    const fence = lease?.fence()
    await sequencer?.run()
    const head = await broker.store.treeHead()
    if (newest && newest.treeSize === head.treeSize) return newest
    try {
      newest = await publishCheckpoint({ ...broker, store }, register, head)
    } catch (error) {
      if (error instanceof RegisterConflict && (await isOurs(fence))) {
        conflict = error
        broker.logger.error('register_conflict', { message: error.message })
      }
      throw error
    }
    return newest
  }

  /** Whoever lost the lease meanwhile looked at a log and a register that others have moved since: no contradiction. */
  async function isOurs(fence: number | undefined): Promise<boolean> {
    if (!lease) return true
    await store.transaction(async () => undefined)
    return lease.fence() === fence
  }

  async function followOnce(): Promise<PublishedCheckpoint> {
    const stored = await broker.store.read(async (tx) => tx.log.newestCheckpoint())
    if (stored && stored.treeSize >= (newest?.treeSize ?? 0)) newest = stored
    if (!newest) throw new NothingPublished('no checkpoint was published yet')
    return newest
  }

  function publishNow(): Promise<PublishedCheckpoint> {
    if (!running) {
      running = publishOnce().finally(() => {
        running = undefined
      })
      return running
    }
    // The head may have moved since the running one looked, so one more follows, for everybody who waits.
    const again = () => {
      next = undefined
      return publishNow()
    }
    next ??= running.then(again, again)
    return next
  }

  async function publishOrWait(): Promise<void> {
    try {
      await publishNow()
    } catch (error) {
      if (error instanceof LeaseLost) broker.logger.warn('lease_lost', { lease: lease?.name })
      else if (!(error instanceof NothingPublished)) throw error
    }
  }

  return {
    newest: () => newest,
    publishNow,
    isHealthy: () => conflict === undefined,
    start() {
      if (loops.length > 0) return
      loops = [
        startLoop('publish_checkpoint', PAUSE_MS, broker.logger, async () => conflict ?? publishOrWait()),
        startLoop('flush_counts', COUNTS_EVERY_MS, broker.logger, () => flushCounts(broker)),
      ]
    },
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()))
      loops = []
      await flushCounts(broker)
      if (!conflict) await publishOrWait()
    },
  }
}

/**
 * Publishes one head that is durable: register, then signature, then the store. A crash after any step is
 * harmless, because the register never holds what the log lacks, and nothing is shown that the register lacks.
 *
 * @throws RegisterConflict if the register is ahead of the log, of another log, or was changed by somebody else.
 */
async function publishCheckpoint(
  broker: Broker,
  register: CheckpointRegister,
  head: TreeHead,
): Promise<PublishedCheckpoint> {
  const origin = broker.settings.logOrigin
  const to = { origin, ...head }
  const from = await register.read()
  const isSame = from?.origin === origin && from.treeSize === head.treeSize
  if (isSame && !from.rootHash.equals(head.rootHash))
    throw new RegisterConflict(`the register holds another root for ${head.treeSize} leaves`)
  if (from && !isSame && (from.origin !== origin || from.treeSize > head.treeSize))
    throw new RegisterConflict('the register is ahead of this log, or of another log')
  if (!isSame && !(await register.advance(from, to)))
    throw new RegisterConflict('somebody else moved the register')

  const text = formatCheckpoint(to)
  const key = logKeyOf(broker)
  const signature = await broker.signer.signBytes('log', signedMessage(text, ED25519))
  const note = formatNote(text, [signatureOf(key, signature)])
  await broker.store.transaction(async (tx) => {
    await tx.log.saveCheckpoint({ ...head, note, atMs: tx.nowMs })
  }, OWNER)
  return { ...head, note }
}

/** The key that signs the log's notes now, under the log's name. */
export function logKeyOf(broker: Pick<Broker, 'signer' | 'settings'>): NoteKey {
  return noteKey(broker.settings.logOrigin, Buffer.from(broker.signer.currentKey('log').x, 'base64url'))
}
