import { isCurrency } from '../money.ts'
import { lintPlace, notAlways, notThere, unknownCurrency, unmarked } from './lint-amount-place.ts'
import { fieldAt, has, type LintedAction, type LintSubject } from './lint-subject.ts'
import { errorAt, type ManifestFault, warningAt } from './manifest-fault.ts'
import type { SchemaField } from './schema-field.ts'

type Spends = NonNullable<LintedAction['action']['spends']>
type Fields = readonly SchemaField[] | undefined

/** Rules on where money is found, what it can cost at most, and that none moves undeclared. */
export function lintMoney({ actions }: LintSubject): ManifestFault[] {
  return actions.flatMap((linted) => [
    ...lintDeclaration(linted),
    ...(linted.action.spends ? lintSpends(linted, linted.action.spends) : []),
    ...lintOwes(linted),
    ...lintStrayAmounts(linted),
  ])
}

function lintDeclaration({ action, at }: LintedAction): ManifestFault[] {
  const faults: ManifestFault[] = []
  if (has(action, 'spend') && !action.spends)
    faults.push(
      errorAt(
        at,
        'spends_missing',
        'an action with the effect spend must say what it spends',
        'add spends with amount and most',
      ),
    )
  if (!has(action, 'spend') && action.spends)
    faults.push(
      errorAt(
        `${at}/spends`,
        'spends_without_effect',
        'only an action with the effect spend can spend',
        'add "spend" to effects, or remove spends',
      ),
    )
  if (action.owes && action.spends)
    faults.push(
      errorAt(
        `${at}/owes`,
        'owes_and_spends',
        'the same money would be counted twice',
        'keep spends if this action takes the money, owes if another payment does',
      ),
    )
  return faults
}

function lintSpends(linted: LintedAction, spends: Spends): ManifestFault[] {
  const at = `${linted.at}/spends`
  return [
    ...lintMost(spends, at),
    ...lintPlace(spends.amount, `${at}/amount`, linted.input, 'input', spends.most),
    ...(spends.charged
      ? lintPlace(spends.charged, `${at}/charged`, linted.result, 'result', spends.most)
      : []),
    ...lintRecurrence(linted, spends, at),
    ...lintPays(linted, spends, at),
  ]
}

function lintMost({ most }: Spends, at: string): ManifestFault[] {
  if (Object.keys(most).length === 0)
    return [
      errorAt(
        `${at}/most`,
        'most_missing',
        'no currency is listed, so nothing could be spent',
        'list the most one call can cost in each currency it takes',
      ),
    ]
  return Object.keys(most).flatMap((code) =>
    isCurrency(code) ? [] : [unknownCurrency(`${at}/most/${code}`, code)],
  )
}

/** Recurring spending needs an end that the broker can read before it permits. */
function lintRecurrence(
  { action, at: actionAt, input }: LintedAction,
  spends: Spends,
  at: string,
): ManifestFault[] {
  const { recurs } = spends
  const soundsRecurring = [action.name, ...(input ?? []).map((field) => field.name)].find((name) =>
    /(^|_)(rrule|recur\w*|schedule|subscri\w+|repeat\w*|interval|every|instal?lments?)(_|$)/i.test(name),
  )
  if (!recurs)
    return soundsRecurring === undefined
      ? []
      : [
          errorAt(
            at,
            'recurrence_undeclared',
            `${soundsRecurring} speaks of taking the amount again`,
            'add recurs with the field that holds the count, or rename it',
          ),
        ]
  if (!input) return []
  const faults: ManifestFault[] = []
  const count = fieldAt(input, recurs.countPointer)
  if (!count) faults.push(notThere(`${at}/recurs/countPointer`, recurs.countPointer, 'input'))
  else if (
    count.leaf.type !== 'integer' ||
    count.leaf.maximum > recurs.most ||
    count.leaf.minimum < 1 ||
    !count.isAlwaysThere
  )
    faults.push(
      errorAt(
        count.at,
        'recurrence_without_end',
        'the count must be a required integer from 1 to recurs.most',
        'require it, and set minimum 1 and a maximum of at most recurs.most',
      ),
    )
  if (!action.cancel)
    faults.push(
      warningAt(
        actionAt,
        'recurrence_without_cancel',
        'a revoke cannot stop what recurs',
        'name the action that cancels it under cancel',
      ),
    )
  return faults
}

function lintPays({ input }: LintedAction, { pays }: Spends, at: string): ManifestFault[] {
  if (!pays || !input) return []
  const execution = fieldAt(input, pays.executionPointer)
  const payee = fieldAt(input, pays.payeePointer)
  const faults: ManifestFault[] = []
  if (!execution) faults.push(notThere(`${at}/pays/executionPointer`, pays.executionPointer, 'input'))
  else if (execution.leaf.type !== 'string' || !execution.isAlwaysThere) faults.push(notAlways(execution))
  if (!payee) faults.push(notThere(`${at}/pays/payeePointer`, pays.payeePointer, 'input'))
  else {
    if (payee.leaf.kind !== 'recipient') faults.push(unmarked(payee, 'recipient'))
    if (!payee.isAlwaysThere) faults.push(notAlways(payee))
  }
  return faults
}

function lintOwes({ action, at: actionAt, result }: LintedAction): ManifestFault[] {
  if (!action.owes || !result) return []
  const at = `${actionAt}/owes`
  const payee = fieldAt(result, action.owes.payeePointer)
  const faults = lintPlace(action.owes.amount, `${at}/amount`, result, 'result', undefined)
  if (!payee) faults.push(notThere(`${at}/payeePointer`, action.owes.payeePointer, 'result'))
  else if (payee.leaf.kind !== 'recipient') faults.push(unmarked(payee, 'recipient'))
  for (const pointer of [action.owes.payeePointer, action.owes.amount.pointer]) {
    const field = fieldAt(result, pointer)
    if (field && !field.isAlwaysThere) faults.push(notAlways(field))
  }
  return faults
}

/** Every field marked as an amount must be one the broker counts; the rest are prices that move nothing. */
function lintStrayAmounts({ action, input, result }: LintedAction): ManifestFault[] {
  const counted = [action.spends?.amount.pointer]
  const countedInResult = [action.spends?.charged?.pointer, action.owes?.amount.pointer]
  const stray = (fields: Fields, known: readonly (string | undefined)[]) =>
    (fields ?? []).filter((field) => field.leaf.kind === 'amount' && !known.includes(field.pointer))
  return [
    ...stray(input, counted).map((field) =>
      errorAt(
        field.at,
        'amount_not_counted',
        'this amount is not the one under spends',
        'point spends.amount at the total, and mark prices that move nothing as quotedAmount',
      ),
    ),
    ...stray(result, countedInResult).map((field) =>
      errorAt(
        field.at,
        'amount_in_result',
        'a result speaks of an amount that nothing counts',
        'point spends.charged or owes.amount at it, or mark it as quotedAmount if no money moves',
      ),
    ),
  ]
}
