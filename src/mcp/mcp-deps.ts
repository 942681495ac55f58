import type { AuthorityChanges } from '../broker/authority-changes.ts'
import type { Broker } from '../broker/broker.ts'
import type { HeldCalls } from './held-calls.ts'
import type { Running } from './running.ts'

/** What every part of the surface is made from. */
export type McpDeps = {
  readonly broker: Broker
  readonly changes: AuthorityChanges
  readonly held: HeldCalls
  readonly running: Running
  /** Aborted when the server stops: nobody is kept waiting for a person then. */
  readonly stopping: AbortSignal
  /** How long a call is held while a person is asked, in milliseconds; clients give up after a minute by default. */
  readonly holdMs: number
}

/** Where the pages are on which a person answers. */
export function pageOf(
  issuer: string,
  question: { readonly kind: 'approval' | 'consent'; readonly id: string },
) {
  return `${issuer}/${question.kind === 'approval' ? 'approvals' : 'consents'}/${question.id}`
}
