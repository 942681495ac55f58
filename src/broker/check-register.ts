import type { CheckpointRegister, RegisterEntry } from '../ports/checkpoint-register.ts'
import type { Broker } from './broker.ts'
import { rootAt } from './tree-tiles.ts'

export type RegisterCheck =
  | { readonly kind: 'ok' }
  | {
      readonly kind: 'other_log' | 'register_missing' | 'log_behind' | 'log_forked'
      /** What is wrong and what to do, for whoever starts the broker. */
      readonly message: string
    }

/**
 * Compares the log with the register before anything is served. A log that lost leaves it may have signed for,
 * or that holds others in their place, must not go on: it would sign a second history (P5). A register that is
 * behind is no fault: the process ended before it was advanced.
 */
export async function checkRegister(
  broker: Pick<Broker, 'store' | 'settings'>,
  register: CheckpointRegister,
): Promise<RegisterCheck> {
  const entry = await register.read()
  const { treeSize } = await broker.store.treeHead()
  if (entry === undefined) {
    const signed = await broker.store.read(async (tx) => tx.log.newestCheckpoint())
    return signed === undefined ? { kind: 'ok' } : missing(broker.settings.logOrigin, signed)
  }
  if (entry.origin !== broker.settings.logOrigin)
    return {
      kind: 'other_log',
      message: `the checkpoint register is of the log ${entry.origin}, not of ${broker.settings.logOrigin}: put the register and the database of one log together, or set the log's origin back`,
    }
  if (treeSize < entry.treeSize)
    return {
      kind: 'log_behind',
      message: `the database holds ${treeSize} leaves, but checkpoints up to ${entry.treeSize} may have been published: it is older than the register. Put the newest database back. If it is lost, never go on with this log: take the newest backup and run countersign restore, which begins a new log that names this one`,
    }
  const rootHash = await broker.store.read((tx) => rootAt(tx, entry.treeSize))
  if (!rootHash.equals(entry.rootHash))
    return {
      kind: 'log_forked',
      message: `the first ${entry.treeSize} leaves of the database are not those that were published: keep both files as evidence, run "countersign doctor", and put the right database back`,
    }
  return { kind: 'ok' }
}

function missing(origin: string, signed: { treeSize: number; rootHash: Buffer }): RegisterCheck {
  const entry: Omit<RegisterEntry, 'rootHash'> & { rootHash: string } = {
    origin,
    treeSize: signed.treeSize,
    rootHash: signed.rootHash.toString('base64'),
  }
  return {
    kind: 'register_missing',
    message: `the log has published checkpoints, but its register is not there: put it back. If it is lost, compare the newest checkpoint with one that an auditor or an older receipt holds, and then write this line into the register: ${JSON.stringify(entry)}`,
  }
}
