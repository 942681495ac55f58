import type { JsonValue } from '../core/json-value.ts'
import type { UndoRow } from '../ports/revocation-rows.ts'
import type { ActionRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { type CleanUpAnswer, callCleanUp } from './call-clean-up.ts'
import { type LeafSealer, sealerFor } from './leaf-sealer.ts'
import type { OperatorAct } from './operator-act.ts'

export type Undoing =
  | { kind: 'not_found' }
  /** Nothing was done, nobody knows yet whether, the manifest names no undo for it, or its time is over. */
  | { kind: 'not_undoable' }
  | { kind: 'frozen' }
  /** Its skill said before that it undid it. */
  | { kind: 'already_undone' }
  /** Somebody asked a moment ago, and the skill has not answered. */
  | { kind: 'undo_under_way' }
  /** What the skill said of it. Refunds restore no budget: what was spent stays counted. */
  | { kind: 'asked'; row: ActionRow; outcome: 'undone' | 'refused' | 'unclear' }

/** How long an attempt may take before another may begin, in milliseconds; a call takes a minute at most. */
const ATTEMPT_MOST_MS = 120_000

/**
 * Asks the skill to undo what it did for this user, within the time its manifest gives. It is the user's call, or an
 * operator's from an incident, so it works after the agent lost its authority; its arguments come only from the recorded
 * execution. One attempt at a time, and none after one that succeeded: whoever asks takes the action's one place first, in
 * a transaction with the leaf that says who asked.
 */
export async function undoAction(
  broker: Broker,
  input: {
    readonly userId: string
    readonly actionId: string
    /** The operator who has it undone; left out where the user does. */
    readonly by?: OperatorAct
  },
): Promise<Undoing> {
  const { userId, actionId, by } = input
  const row = await broker.store.read(async (tx) => tx.actions.find(actionId))
  if (!row || row.userId !== userId) return { kind: 'not_found' }
  const seal = await sealerFor(broker, row)
  const begun = await broker.store.transaction((tx) => begin(broker, tx, seal, row, by), { userId })
  if (typeof begun === 'string') return { kind: begun }

  const answer = await callCleanUp(broker, row, 'undo').catch((error: unknown) => {
    // Whether anything was sent is not known: it may be asked again, under the same key.
    broker.logger.error('undo_failed', { error })
    return undefined
  })
  const outcome = outcomeOf(answer)
  const result: JsonValue =
    answer?.kind === 'called' && answer.outcome.kind === 'succeeded' ? answer.outcome.result : null
  await broker.store.transaction(
    async (tx) => {
      if (!(await tx.undos.end(begun, outcome, tx.nowMs))) return
      const leaf = undoLeaf(row, `undo_${outcome}`, by, { result })
      await tx.log.append(seal(leaf, tx.nowMs), tx.nowMs)
    },
    { userId },
  )
  if (outcome === 'not_sent') return { kind: answer?.kind === 'frozen' ? 'frozen' : 'not_undoable' }
  return { kind: 'asked', row, outcome }
}

/** Takes the action's one place for an attempt; or says why not. */
async function begin(
  broker: Broker,
  tx: Tx,
  seal: LeafSealer,
  seen: ActionRow,
  by: OperatorAct | undefined,
): Promise<UndoRow | 'not_undoable' | 'already_undone' | 'undo_under_way'> {
  const row = await tx.actions.find(seen.id, seen.userId)
  const untilMs = row ? await undoUntilIn(broker, tx, row) : null
  const before = await tx.undos.find(seen.id, seen.userId)
  if (before?.status === 'undone') return 'already_undone'
  if (untilMs === null || tx.nowMs > untilMs) return 'not_undoable'
  if (before?.status === 'asked' && tx.nowMs < before.askedAtMs + ATTEMPT_MOST_MS) return 'undo_under_way'
  const attempt: UndoRow = {
    actionId: seen.id,
    userId: seen.userId,
    status: 'asked',
    askedBy: by ? `operator:${by.operatorId}` : 'user',
    attempts: (before?.attempts ?? 0) + 1,
    // Later than the one before, so that an attempt that was given up for lost cannot end this one.
    askedAtMs: Math.max(tx.nowMs, (before?.askedAtMs ?? 0) + 1),
    answeredAtMs: null,
  }
  const isOurs = before ? await tx.undos.beginAgain(attempt, before) : await tx.undos.begin(attempt)
  if (!isOurs) return 'undo_under_way'
  await tx.log.append(seal(undoLeaf(seen, 'undo_asked', by, {}), tx.nowMs), tx.nowMs)
  return attempt
}

/** Nothing was sent: it may be asked again at once. */
function outcomeOf(answer: CleanUpAnswer | undefined): 'undone' | 'refused' | 'unclear' | 'not_sent' {
  if (answer === undefined) return 'unclear'
  if (answer.kind !== 'called') return 'not_sent'
  switch (answer.outcome.kind) {
    case 'succeeded':
      return 'undone'
    case 'refused':
      return 'refused'
    default:
      return 'unclear'
  }
}

function undoLeaf(
  row: ActionRow,
  outcome: string,
  by: OperatorAct | undefined,
  said: { readonly result?: JsonValue },
) {
  return {
    type: 'clean_up' as const,
    outcome,
    reason: by ? 'by_operator' : 'by_user',
    core: { skill: row.skillId, action: row.action, manifest: row.manifestDigest },
    subj: { user: row.userId, agent: row.agentId, actionId: row.id, operator: by?.operatorId ?? null },
    body: { reason: by?.reason ?? null, ...said },
  }
}

/** Until when the skill can be asked to undo an action; null where nothing was done or no undo is declared. */
export function undoUntil(broker: Broker, row: ActionRow): Promise<number | null> {
  return broker.store.read((tx) => undoUntilIn(broker, tx, row))
}

/** As `undoUntil`, inside a unit of work. */
export async function undoUntilIn(
  broker: Pick<Broker, 'manifests'>,
  tx: Tx,
  row: ActionRow,
): Promise<number | null> {
  const { manifestDigest: digest, settledAtMs } = row
  if (row.status !== 'succeeded' || digest === null || settledAtMs === null) return null
  const { undo } = (await broker.manifests.load(tx, digest)).actions.get(row.action)?.declared ?? {}
  return undo === undefined ? null : settledAtMs + undo.withinSeconds * 1000
}

/** Asked for before, and what came of it; undefined where nobody asked. */
export function findUndo(
  broker: Pick<Broker, 'store'>,
  { userId, actionId }: { readonly userId: string; readonly actionId: string },
): Promise<UndoRow | undefined> {
  return broker.store.read(async (tx) => tx.undos.find(actionId, userId))
}
