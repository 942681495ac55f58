import type { AmountPlace, ManifestAction } from './manifest.ts'
import type { ManifestChange, ManifestChangeCode } from './manifest-change.ts'
import { changeOf, plainJson, unlessEqual } from './manifest-change.ts'
import { schemaWidenings } from './schema-widening.ts'

type Whole = Required<ManifestAction>
type Rule<Field extends keyof Whole> = (
  before: ManifestAction[Field],
  after: ManifestAction[Field],
  pointer: string,
) => ManifestChange[]

/** Any difference needs a new yes. */
const equal =
  (code: ManifestChangeCode) =>
  (before: unknown, after: unknown, pointer: string): ManifestChange[] =>
    unlessEqual(code, pointer, before, after)

/** Judged with the whole manifest at hand in manifest-diff.ts, or without meaning for what was agreed to. */
const elsewhere = (): ManifestChange[] => []

const companion = (before: unknown, after: unknown, pointer: string): ManifestChange[] => {
  if (before === undefined) return unlessEqual('companion_added', pointer, before, after)
  if (after === undefined) return [changeOf('companion_removed', pointer, before, after)]
  return unlessEqual('companion_changed', pointer, before, after)
}

/** One rule for each field of an action: a field added to the shape does not compile until it has one. */
const RULES: { readonly [Field in keyof Whole]: Rule<Field> } = {
  name: equal('action_added'),
  title: equal('text_changed'),
  description: equal('text_changed'),
  // An effect less is not narrower: what is asked first and what is budgeted hangs on the effects.
  effects: (before, after, pointer) =>
    unlessEqual('effects_changed', pointer, before.toSorted(), after.toSorted()),
  path: equal('endpoint_changed'),
  tool: equal('endpoint_changed'),
  timeoutMs: elsewhere,
  input: (before, after, pointer) =>
    schemaWidenings('input_widened', pointer, plainJson(before), plainJson(after)),
  result: (before, after, pointer) =>
    schemaWidenings('result_widened', pointer, plainJson(before), plainJson(after)),
  recipients: elsewhere,
  remembers: elsewhere,
  spends: spendChanges,
  owes: equal('payment_link_changed'),
  // Becoming one that always asks is narrower.
  addsRecipient: (before, after, pointer) =>
    before === true && after !== true ? [changeOf('guard_removed', pointer, before, after)] : [],
  refusal: equal('refusal_changed'),
  receiptPointer: equal('key_promise_changed'),
  honoursKeys: equal('key_promise_changed'),
  preview: companion,
  status: companion,
  cancel: companion,
  stop: companion,
  undo: undoChanges,
  poll: elsewhere,
}

/** The changes within one action's own declaration, by the rules above. */
export function actionChanges(
  before: ManifestAction,
  after: ManifestAction,
  pointer: string,
): ManifestChange[] {
  const judge = <Field extends keyof Whole>(field: Field): ManifestChange[] =>
    RULES[field](before[field], after[field], `${pointer}/${field}`)
  return fieldsOf(RULES).flatMap((field) => judge(field))
}

function fieldsOf<T extends object>(rules: T): (keyof T)[] {
  return Object.keys(rules) as (keyof T)[]
}

function spendChanges(
  before: ManifestAction['spends'],
  after: ManifestAction['spends'],
  pointer: string,
): ManifestChange[] {
  if (!before || !after) return unlessEqual('amount_place_changed', pointer, before, after)
  const place = (name: 'amount' | 'charged', was?: AmountPlace, is?: AmountPlace) =>
    unlessEqual('amount_place_changed', `${pointer}/${name}`, was, is)
  return [
    ...place('amount', before.amount, after.amount),
    ...place('charged', before.charged, after.charged),
    ...mostChanges(before.most, after.most, `${pointer}/most`),
    ...recurrenceChanges(before.recurs, after.recurs, `${pointer}/recurs`),
    ...unlessEqual('payment_link_changed', `${pointer}/pays`, before.pays, after.pays),
  ]
}

/** A currency less or a lower most is narrower. */
function mostChanges(
  before: Record<string, number>,
  after: Record<string, number>,
  pointer: string,
): ManifestChange[] {
  return Object.entries(after).flatMap(([currency, mostMinor]) => {
    const was = before[currency]
    if (was === undefined) return [changeOf('currency_added', `${pointer}/${currency}`, was, mostMinor)]
    return mostMinor > was ? [changeOf('most_raised', `${pointer}/${currency}`, was, mostMinor)] : []
  })
}

type Recurrence = NonNullable<ManifestAction['spends']>['recurs']

/** Only a lower count is narrower: dropping the declaration would reserve once for what may still recur. */
function recurrenceChanges(before: Recurrence, after: Recurrence, pointer: string): ManifestChange[] {
  const isNarrower =
    before !== undefined &&
    after !== undefined &&
    after.countPointer === before.countPointer &&
    after.most <= before.most
  return isNarrower ? [] : unlessEqual('recurrence_changed', pointer, before, after)
}

function undoChanges(
  before: ManifestAction['undo'],
  after: ManifestAction['undo'],
  pointer: string,
): ManifestChange[] {
  if (!before) return unlessEqual('companion_added', pointer, before, after)
  if (!after) return [changeOf('undo_removed', pointer, before, after)]
  const { withinSeconds: was, ...callBefore } = before
  const { withinSeconds: is, ...callAfter } = after
  return [
    ...(is < was ? [changeOf('undo_shortened', `${pointer}/withinSeconds`, was, is)] : []),
    ...unlessEqual('companion_changed', pointer, callBefore, callAfter),
  ]
}
