import { EVERY, escapeToken } from '../json-pointer.ts'
import type { JsonValue } from '../json-value.ts'
import { isJsonArray, isJsonObject } from '../json-value.ts'
import type { ManifestAction } from '../manifest/manifest.ts'
import { type InputField, isFilledByBroker, listInputFields, recipientPointersOf } from './input-field.ts'
import type { Constraint } from './terms.ts'

/** One argument as it was, and whether its user may let it differ the next time. */
export type SameArgument = {
  readonly pointer: string
  readonly constraint: Constraint
  /** Recipients, amounts and commands are never let go: they are what a yes is about. */
  readonly isFixed: boolean
}

export type SameAgain = {
  /** One for each value that was sent. */
  readonly sent: readonly SameArgument[]
  /** Keep out what was not sent: no field more, no element more. */
  readonly rest: readonly Constraint[]
}

const CONSTRAINTS_MOST = 32
const TEXT_MOST = 500

/**
 * Turns the arguments of one exact action into constraints that allow the same again and nothing else: every value
 * equal, an amount at most what it was, nothing added. Undefined where that cannot be said in constraints.
 */
export function sameAgain(action: ManifestAction, args: JsonValue): SameAgain | undefined {
  const recipients = recipientPointersOf(action)
  const commands = listInputFields(action).filter(({ kind }) => kind === 'command')
  const fixed = [...recipients, ...commands.map(({ pointer }) => pointer)]
  const amount = action.spends?.amount
  const sent: SameArgument[] = []
  const rest: Constraint[] = []
  const present = new Set<string>()
  const visit = (value: JsonValue, pointer: string, pattern: string): boolean => {
    present.add(pattern)
    if (isJsonArray(value)) {
      rest.push({ kind: 'length', pointer, max: value.length })
      return (
        value.length > 0 && value.every((one, at) => visit(one, `${pointer}/${at}`, `${pattern}/${EVERY}`))
      )
    }
    if (isJsonObject(value)) {
      return Object.entries(value).every(([name, one]) =>
        visit(one, `${pointer}/${escapeToken(name)}`, `${pattern}/${escapeToken(name)}`),
      )
    }
    if (value === null || (typeof value === 'string' && value.length > TEXT_MOST)) return false
    const isAmount = amount?.pointer === pointer && typeof value === 'number'
    const isCurrency =
      amount !== undefined && 'currencyPointer' in amount && amount.currencyPointer === pointer
    sent.push({
      pointer,
      constraint: isAmount ? { kind: 'range', pointer, max: value } : { kind: 'equals', pointer, value },
      isFixed: isAmount || isCurrency || fixed.includes(pattern),
    })
    return true
  }
  if (!visit(args, '', '')) return undefined
  for (const { pointer } of absentFields(action, present)) rest.push({ kind: 'absent', pointer })
  return sent.length + rest.length <= CONSTRAINTS_MOST ? { sent, rest } : undefined
}

/** Fields that were not sent anywhere, without those below one that is absent itself. */
function absentFields(action: ManifestAction, present: ReadonlySet<string>): InputField[] {
  const absent = listInputFields(action).filter(
    (field) =>
      !present.has(field.pointer) && !isFilledByBroker(field) && !field.pointer.endsWith(`/${EVERY}`),
  )
  return absent.filter(({ pointer }) => !absent.some((other) => pointer.startsWith(`${other.pointer}/`)))
}
