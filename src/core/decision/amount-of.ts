import { readPointer } from '../json-pointer.ts'
import type { JsonValue } from '../json-value.ts'
import type { AmountPlace, ManifestAction } from '../manifest/manifest.ts'
import { type AmountFaultCode, fromDecimalString, isCurrency, parseMinor } from '../money.ts'
import type { Amount } from '../spending/budget.ts'
import { totalOf } from '../spending/budget.ts'

export type { Amount } from '../spending/budget.ts'

export type AmountReading =
  | { ok: true; amount: Amount }
  | { ok: false; pointer: string; code: AmountFaultCode | 'amount_missing' }

/**
 * Reads an amount where a manifest says it stands. Decimal strings are taken apart as text, never as floats.
 * A sign is read only where `signed` says that refunds or nonsense must be told apart from malformed text.
 */
export function readAmount(value: JsonValue, place: AmountPlace, signed = false): AmountReading {
  const currency = 'currency' in place ? place.currency : readPointer(value, place.currencyPointer)
  const raw = readPointer(value, place.pointer)
  if (raw === undefined || currency === undefined) {
    return { ok: false, pointer: place.pointer, code: 'amount_missing' }
  }
  if (typeof currency !== 'string' || !isCurrency(currency)) {
    const pointer = 'currency' in place ? place.pointer : place.currencyPointer
    return { ok: false, pointer, code: 'currency_unknown' }
  }
  const rule = signed ? 'negative_allowed' : 'no_negative'
  const parsed =
    place.form === 'minor'
      ? parseMinor(raw, rule)
      : typeof raw === 'string'
        ? fromDecimalString(raw, currency, rule)
        : ({ ok: false, code: 'amount_malformed' } as const)
  return parsed.ok
    ? { ok: true, amount: { amountMinor: parsed.amountMinor, currency } }
    : { ok: false, pointer: place.pointer, code: parsed.code }
}

/**
 * The amount an action would take, all its repetitions included; null for an action that does not spend.
 */
export function amountOf(
  declared: ManifestAction,
  args: JsonValue,
): AmountReading | { ok: true; amount: null } {
  if (!declared.spends) return { ok: true, amount: null }
  const reading = readAmount(args, declared.spends.amount)
  const recurs = declared.spends.recurs
  if (!reading.ok || !recurs) return reading
  const times = timesOf(declared, args)
  if (times === null) return { ok: false, pointer: recurs.countPointer, code: 'amount_malformed' }
  const total = totalOf(reading.amount.amountMinor, times)
  if (total === null) return { ok: false, pointer: declared.spends.amount.pointer, code: 'amount_too_large' }
  return { ok: true, amount: { amountMinor: total, currency: reading.amount.currency } }
}

/**
 * How often an action takes its amount, the first time included; null if the arguments do not say it, or say more
 * often than the manifest allows.
 */
export function timesOf(declared: ManifestAction, args: JsonValue): number | null {
  const recurs = declared.spends?.recurs
  if (!recurs) return 1
  const times = readPointer(args, recurs.countPointer)
  const isCount = typeof times === 'number' && Number.isInteger(times) && times >= 1 && times <= recurs.most
  return isCount ? times : null
}
