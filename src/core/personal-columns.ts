import { z } from 'zod'
import type { Constraint } from './grant/terms.ts'

type Values = Readonly<Record<string, string | number | boolean | null>>
type Text = string | null

/** What of a table is about a person and lies in the open in the store. */
export type PersonalPart = {
  /** What stands in a column's place where the person's own words may not: never more than they were, and never wider. */
  readonly columns?: Readonly<Record<string, (value: Text, row: Values) => Text>>
  /** Rows that are a person's as a whole. */
  readonly isWhole?: (row: Values) => boolean
}

const nothing = () => ''
const isOfUser = ({ kind }: Values) => kind === 'user'

/**
 * What is personal and not sealed under a cell. In a backup it lies only in files that are encrypted with the key of the
 * epoch the backup is of, and dies with that; the rest of a backup holds ids, times, amounts and what is sealed.
 */
export const PERSONAL_COLUMNS: Readonly<Record<string, PersonalPart>> = {
  users: { columns: { time_zone: () => 'UTC' } },
  agents: { columns: { name: nothing, client_host: (value) => (value === null ? null : '') } },
  // An agent chooses its keys; one that is forgotten can be no other's.
  actions: { columns: { idempotency_key: (_, { id }) => `forgotten ${String(id)}` } },
  consent_requests: { columns: { purpose: nothing, terms: withoutWords } },
  grants: { columns: { terms: withoutWords } },
  saved_recipients: { columns: { label: nothing, value: (_, { id }) => `forgotten ${String(id)}` } },
  debts: { columns: { payee: nothing } },
  legal_holds: { columns: { reason: nothing } },
  incidents: { columns: { detail: nothing } },
  agent_callbacks: { columns: { url: nothing } },
  person_sessions: { columns: { device: nothing } },
  oauth_records: { isWhole: () => true },
  passkeys: { isWhole: isOfUser },
  person_accounts: { isWhole: isOfUser },
}

const termsShape = z.looseObject({
  actions: z.array(z.looseObject({ constraints: z.array(z.looseObject({ kind: z.string() })) })),
})

/** Kinds of constraints that hold what a person chose, in words. */
const WORDED: ReadonlySet<string> = new Set<Constraint['kind']>([
  'equals',
  'one_of',
  'origin',
  'path_prefix',
  'mail_domain',
])

/** Terms whose constraints no longer say what they compared with: what they limited is allowed no more. */
function withoutWords(value: Text): Text {
  if (value === null) return null
  const parsed = termsShape.safeParse(JSON.parse(value))
  if (!parsed.success) return '{}'
  const actions = parsed.data.actions.map((action) => ({
    ...action,
    constraints: action.constraints.map((constraint) =>
      WORDED.has(constraint.kind)
        ? // No value lies in it, so whatever is asked is refused.
          { kind: 'range', pointer: constraint.pointer, min: 1, max: 0 }
        : constraint,
    ),
  }))
  return JSON.stringify({ ...parsed.data, actions })
}
