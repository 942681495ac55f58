import type { Broker } from '../broker/broker.ts'
import { type LeafSealer, sealerFor } from '../broker/leaf-sealer.ts'
import type { JsonValue } from '../core/json-value.ts'
import type { LeafContent } from '../core/log/leaf.ts'
import type { PersonRef } from '../ports/people-rows.ts'

/** What a person did about their own security, or an operator about somebody's. Codes are stable. */
export type PersonEvent =
  | 'account_made'
  | 'account_ended'
  | 'invited'
  | 'signed_in'
  | 'signed_out'
  | 'stepped_up'
  | 'session_ended'
  | 'sessions_ended'
  | 'passkey_added'
  | 'passkey_named'
  | 'passkey_removed'
  | 'passkey_refused'
  | 'recovery_codes_made'
  | 'recovered'
  | 'threshold_set'
  | 'terminal_allowed'
  | 'terminal_refused'

/** Makes the leaves of one person; call it before the transaction that appends them. */
export function personSealer(broker: Broker, who: PersonRef): Promise<LeafSealer> {
  return sealerFor(broker, { userId: who.kind === 'user' ? who.id : '', skillId: '' })
}

/** The leaf of one event. Who it was stands sealed in `subj`; neither names, addresses nor keys are in it. */
export function personLeaf(
  who: PersonRef,
  outcome: PersonEvent,
  about: { reason?: string; subj?: Readonly<Record<string, JsonValue>>; body?: JsonValue } = {},
): LeafContent {
  return {
    type: 'person',
    outcome,
    reason: about.reason ?? (who.kind === 'user' ? 'by_user' : 'by_operator'),
    subj: { [who.kind]: who.id, ...about.subj },
    ...(about.body === undefined ? {} : { body: about.body }),
  }
}
