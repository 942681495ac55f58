import { valuesAt } from '../json-pointer.ts'
import type { JsonValue } from '../json-value.ts'
import type { LoadedAction } from '../manifest/loaded-manifest.ts'
import { checkTexts } from '../text-rules.ts'
import { type Amount, amountOf } from './amount-of.ts'

/** Why arguments are not a request at all; telling it needs no authority, the manifest is public. */
export type ArgumentFault = { pointer: string; code: string; message: string }

export type CheckedArguments = {
  /** With the manifest's defaults filled in; as sent where there are faults. */
  arguments: JsonValue
  amount: Amount | null
  /** Values of the fields the manifest marks as recipients, each once, sorted. */
  recipients: string[]
  faults: ArgumentFault[]
}

/** Checks what an agent sent against the action's closed schema and the rules for text and money. */
export function checkArguments(action: LoadedAction, sent: JsonValue): CheckedArguments {
  const checked = action.input.check(sent)
  if (!checked.ok) return { arguments: sent, amount: null, recipients: [], faults: [...checked.faults] }
  const faults: ArgumentFault[] = checkTexts(checked.value, (pointer) => isFreeText(action, pointer)).map(
    (fault) => ({ ...fault, message: 'This text holds characters that are not allowed here.' }),
  )
  const reading = amountOf(action.declared, checked.value)
  if (!reading.ok) {
    faults.push({ pointer: reading.pointer, code: reading.code, message: 'The amount cannot be read.' })
  }
  return {
    arguments: checked.value,
    amount: reading.ok ? reading.amount : null,
    recipients: recipientsIn(action, checked.value),
    faults,
  }
}

/** Free-text fields are named with `*` for elements; the pointer of a string has their indexes. */
function isFreeText(action: LoadedAction, pointer: string): boolean {
  if (action.freeTextPointers.size === 0) return false
  return (
    action.freeTextPointers.has(pointer) ||
    action.freeTextPointers.has(pointer.replace(/\/\d+(?=\/|$)/g, '/*'))
  )
}

function recipientsIn(action: LoadedAction, args: JsonValue): string[] {
  const values = action.recipientFields.flatMap((field) => valuesAt(args, field.pointer))
  return [...new Set(values.filter((value) => typeof value === 'string'))].sort()
}
