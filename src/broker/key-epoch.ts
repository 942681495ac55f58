import type { LeafContent } from '../core/log/leaf.ts'
import type { EpochState } from '../ports/key-rotation.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import { type OperatorAct, type ReasonRefused, refuseReason } from './operator-act.ts'

/** Says of the newest epoch that was logged whether it was begun or done, and when: `2 done 1790000000000`. */
const MARK = 'key_epoch'
/** Set while an operator wants the next epoch before its time. */
const ASKED = 'key_epoch_asked'
const CELLS_AT_ONCE = 500
const TOLD_EVERY = 50_000

export type EpochTurn = 'not_due' | 'waits' | 'done'

type EpochMark = { readonly epoch: number; readonly state: 'begun' | 'done' }

/**
 * Takes the key store to its next key-encryption key when that is due, or goes on where a crash left it. From then on
 * nothing that was copied before opens with the keys that are left.
 */
export async function turnEpoch(broker: Broker): Promise<EpochTurn> {
  const { rotation } = broker.cells
  const state = await rotation.state()
  const mark = await broker.store.read(readMark)
  const isTurning = state.older.length > 0 || state.newest > state.epoch
  const wasBegun = mark?.state === 'begun' && mark.epoch >= state.newest
  if (!isTurning && !wasBegun && !(await isDue(broker, state))) {
    if (mark?.epoch !== state.epoch) await setMark(broker, { epoch: state.epoch, state: 'done' })
    return 'not_due'
  }
  const isEnding = mark?.state === 'begun' && mark.epoch === state.epoch
  const target = isTurning || isEnding ? state.newest : state.epoch + 1
  if (!(mark?.state === 'begun' && mark.epoch === target))
    await log(broker, { epoch: target, state: 'begun' }, 0)
  if (target > state.newest) await rotation.begin(broker.store.now().nowMs)
  if ((await rotation.activate()) === 'waits') {
    broker.logger.warn('key_epoch_waits', { epoch: target })
    return 'waits'
  }
  const cells = await rewrapAll(broker)
  await rotation.retire()
  const after = await rotation.state()
  if (after.epoch !== target || after.older.length > 0) return 'waits'
  await log(broker, { epoch: target, state: 'done' }, cells)
  broker.logger.info('key_epoch_done', { epoch: target, cells })
  return 'done'
}

async function rewrapAll({ cells: { rotation }, logger }: Broker): Promise<number> {
  let done = 0
  for (;;) {
    const some = await rotation.rewrap(CELLS_AT_ONCE)
    if (some === 0) return done
    if (Math.floor((done + some) / TOLD_EVERY) > Math.floor(done / TOLD_EVERY))
      logger.info('key_epoch_progress', { done: done + some })
    done += some
    // Whoever waits for the key store comes between two batches.
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function isDue({ store, settings }: Broker, { begunAtMs }: EpochState): Promise<boolean> {
  if (store.now().nowMs >= begunAtMs + settings.keyEpochMs) return true
  return (await store.read(async (tx) => tx.deploymentMarks.find(ASKED))) === 'yes'
}

/** What operators see of the key-encryption keys. */
export type EpochView = EpochState & {
  readonly dueAtMs: number
  /** `waits` for processes that do not have the new key yet, or for the next look. */
  readonly standing: 'settled' | 'asked' | 'turning' | 'waits'
}

export async function showEpoch(broker: Broker): Promise<EpochView> {
  const state = await broker.cells.rotation.state()
  const asked = await broker.store.read(async (tx) => tx.deploymentMarks.find(ASKED))
  const standing =
    state.newest > state.epoch
      ? 'waits'
      : state.older.length > 0
        ? 'turning'
        : asked === 'yes'
          ? 'asked'
          : 'settled'
  return { ...state, dueAtMs: state.begunAtMs + broker.settings.keyEpochMs, standing }
}

/** Has the next epoch begun before its time, as after a leak. It is done within seconds, by whoever does such work. */
export async function askForEpoch(
  broker: Broker,
  by: OperatorAct,
): Promise<ReasonRefused | { readonly kind: 'asked' }> {
  const refused = refuseReason(by)
  if (refused) return refused
  const seal = await sealerFor(broker, { userId: '', skillId: '' })
  await broker.store.transaction(async (tx) => {
    await tx.deploymentMarks.set(ASKED, 'yes')
    const leaf: LeafContent = {
      type: 'operator',
      outcome: 'key_epoch_asked',
      reason: 'operator',
      subj: { operator: by.operatorId },
      body: { reason: by.reason },
    }
    await tx.log.append(seal(leaf, tx.nowMs), tx.nowMs)
  })
  return { kind: 'asked' }
}

async function log(broker: Broker, mark: EpochMark, cells: number): Promise<void> {
  const seal = await sealerFor(broker, { userId: '', skillId: '' })
  await broker.store.transaction(async (tx) => {
    // Somebody else may have written it since: then there is one leaf all the same.
    const known = await readMark(tx)
    if (known?.epoch === mark.epoch && known.state === mark.state) return
    const core = { epoch: mark.epoch, ...(mark.state === 'done' ? { cells } : {}) }
    const leaf = { type: 'key_epoch', outcome: mark.state, reason: 'rotation', core } as const
    await tx.log.append(seal(leaf, tx.nowMs), tx.nowMs)
    await tx.deploymentMarks.set(MARK, textOf(mark, tx.nowMs))
    if (mark.state === 'begun') await tx.deploymentMarks.set(ASKED, 'no')
  })
}

/** An epoch that was there before anything was logged of it. */
function setMark(broker: Broker, mark: EpochMark): Promise<void> {
  return broker.store.transaction(async (tx) => tx.deploymentMarks.set(MARK, textOf(mark, tx.nowMs)))
}

function textOf({ epoch, state }: EpochMark, nowMs: number): string {
  return `${epoch} ${state} ${nowMs}`
}

async function readMark(tx: Tx): Promise<EpochMark | undefined> {
  const [epoch, state] = (await tx.deploymentMarks.find(MARK))?.split(' ') ?? []
  return state === 'begun' || state === 'done' ? { epoch: Number(epoch), state } : undefined
}
