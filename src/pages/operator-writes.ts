import { approveManifest } from '../broker/approve-manifest.ts'
import { closeIncident } from '../broker/close-incident.ts'
import { freeze, unfreeze } from '../broker/freeze.ts'
import { askForEpoch } from '../broker/key-epoch.ts'
import { settleByOperator } from '../broker/settle-by-operator.ts'
import { settleNoticeByOperator } from '../broker/settle-notice-by-operator.ts'
import { revokeManifest, suspendManifest } from '../broker/suspend-manifest.ts'
import { beginUndoJob, cancelUndoJob } from '../broker/undo-job.ts'
import { FREEZE_KINDS } from '../core/decision/freeze-ids.ts'
import type { Form } from './form.ts'
import type { PageDeps } from './page-deps.ts'
import { UNDO_HOURS } from './undo-hours.ts'

/** What is said of a write; `unsettled` is how many calls a freeze found still out there. */
export type OperatorWrite =
  | { readonly kind: 'done'; readonly unsettled: number | null }
  | { readonly kind: 'refusedReason' | 'refusedTarget' | 'refusedState' | 'refusedFaults' }

const HOUR_MS = 3_600_000
const DONE: OperatorWrite = { kind: 'done', unsettled: null }

/** Does what one form of the operators' pages asks for; every write names who and why. */
export async function operatorWrite(
  { broker, cancel }: Pick<PageDeps, 'broker' | 'cancel'>,
  operatorId: string,
  form: Form,
): Promise<OperatorWrite> {
  const act = { operatorId, reason: (form.get('reason') ?? '').trim() }
  const id = form.get('id') ?? ''
  switch (form.get('do')) {
    case 'close_incident':
      return outcomeOf((await closeIncident(broker, { ...act, incidentId: id })).kind, 'closed')
    case 'freeze': {
      const kind = FREEZE_KINDS.find((known) => known === form.get('kind'))
      if (!kind) return { kind: 'refusedTarget' }
      const target = (form.get('target') ?? '').trim()
      const includesCleanUp = form.get('clean_up') === 'yes'
      const done = await freeze(broker, cancel, { ...act, kind, target, includesCleanUp })
      if (done.kind === 'frozen') return { kind: 'done', unsettled: done.unsettled.length }
      return { kind: done.kind === 'target_refused' ? 'refusedTarget' : 'refusedReason' }
    }
    case 'undo': {
      const hours = UNDO_HOURS.find((known) => known === form.get('hours'))
      if (!hours) return { kind: 'refusedTarget' }
      const toMs = broker.store.now().nowMs + 1
      const action = (form.get('action') ?? '').trim()
      const done = await beginUndoJob(broker, {
        ...act,
        incidentId: id,
        fromMs: toMs - Number(hours) * HOUR_MS,
        toMs,
        action: action === '' ? null : action,
      })
      return outcomeOf(done.kind, 'begun')
    }
    case 'undo_cancel':
      return outcomeOf((await cancelUndoJob(broker, { ...act, jobId: id })).kind, 'cancelled')
    case 'lift':
      return outcomeOf((await unfreeze(broker, { ...act, freezeId: id })).kind, 'unfrozen')
    case 'turn_epoch':
      return outcomeOf((await askForEpoch(broker, act)).kind, 'asked')
    case 'settle_notice':
      return outcomeOf((await settleNoticeByOperator(broker, { ...act, noticeId: id })).kind, 'settled')
    case 'approve':
      return outcomeOf((await approveManifest(broker, { ...act, digest: id })).kind, 'approved')
    case 'suspend':
      return outcomeOf((await suspendManifest(broker, { ...act, digest: id })).kind, 'suspended')
    case 'revoke':
      return outcomeOf((await revokeManifest(broker, { ...act, digest: id })).kind, 'revoked')
    case 'taken':
    case 'released': {
      const outcome = settlementOf(form)
      if (!outcome) return { kind: 'refusedTarget' }
      return outcomeOf((await settleByOperator(broker, { ...act, actionId: id, outcome })).kind, 'settled')
    }
    default:
      return { kind: 'refusedState' }
  }
}

/** Undefined for an amount that is no whole number of minor units. */
function settlementOf(form: Form) {
  if (form.get('do') === 'released') return { kind: 'released' } as const
  const text = form.get('amount')?.trim() ?? ''
  const amountMinor = text === '' ? null : Number(text)
  if (amountMinor !== null && (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(amountMinor)))
    return undefined
  return { kind: 'captured', amountMinor } as const
}

function outcomeOf(kind: string, good: string): OperatorWrite {
  switch (kind) {
    case good:
      return DONE
    case 'reason_refused':
      return { kind: 'refusedReason' }
    case 'manifest_faults':
    case 'key_not_living':
    case 'skill_of_other_publisher':
    case 'tool_name_taken':
    case 'going_back_not_said':
      return { kind: 'refusedFaults' }
    default:
      return { kind: 'refusedState' }
  }
}
