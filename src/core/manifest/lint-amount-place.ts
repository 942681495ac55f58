import { isCurrency } from '../money.ts'
import { fieldAt } from './lint-subject.ts'
import type { AmountPlace } from './manifest.ts'
import { errorAt, type ManifestFault } from './manifest-fault.ts'
import type { SchemaField } from './schema-field.ts'

/** Rules on one place of an amount and its currency; `most` is given where each currency needs a limit. */
export function lintPlace(
  place: AmountPlace,
  at: string,
  fields: readonly SchemaField[] | undefined,
  side: 'input' | 'result',
  most: Readonly<Record<string, number>> | undefined,
): ManifestFault[] {
  if (!fields) return []
  const faults = lintAmountField(place, at, fields, side)
  if ('currency' in place) {
    if (!isCurrency(place.currency)) faults.push(unknownCurrency(`${at}/currency`, place.currency))
    else if (most && !Object.hasOwn(most, place.currency))
      faults.push(
        errorAt(
          `${at}/currency`,
          'currency_without_most',
          `most says nothing of ${place.currency}`,
          `add ${place.currency} to most`,
        ),
      )
    return faults
  }
  const currency = fieldAt(fields, place.currencyPointer)
  if (!currency) return [...faults, notThere(`${at}/currencyPointer`, place.currencyPointer, side)]
  if (currency.leaf.type !== 'string')
    faults.push(
      errorAt(
        currency.at,
        'currency_not_text',
        'a currency must be a string',
        'give it type string and pattern ^[A-Z]{3}$',
      ),
    )
  if (currency.leaf.kind !== 'currency') faults.push(unmarked(currency, 'currency'))
  if (side === 'input' && !currency.isAlwaysThere) faults.push(notAlways(currency))
  return faults
}

function lintAmountField(
  place: AmountPlace,
  at: string,
  fields: readonly SchemaField[],
  side: 'input' | 'result',
) {
  const amount = fieldAt(fields, place.pointer)
  if (!amount) return [notThere(`${at}/pointer`, place.pointer, side)]
  const faults: ManifestFault[] = []
  const { leaf } = amount
  if (leaf.kind !== 'amount') faults.push(unmarked(amount, 'amount'))
  if (place.form === 'minor' && leaf.type !== 'integer')
    faults.push(
      errorAt(
        amount.at,
        'amount_form_mismatch',
        `form minor needs an integer, this is a ${leaf.type}`,
        'give the field type integer, or the place form decimal',
      ),
    )
  if (place.form === 'decimal' && leaf.type !== 'string')
    faults.push(
      errorAt(
        amount.at,
        'amount_form_mismatch',
        `form decimal needs a string, this is a ${leaf.type}`,
        'give the field type string, or the place form minor',
      ),
    )
  if (leaf.type === 'integer' && leaf.minimum < 0)
    faults.push(
      errorAt(amount.at, 'amount_negative', 'the amount may be negative', 'set minimum to 0 or more'),
    )
  // A result without the amount captures the whole reservation, so only the input must have it.
  if (side === 'input' && !amount.isAlwaysThere) faults.push(notAlways(amount))
  if (side === 'input' && amount.hasDefault)
    faults.push(
      errorAt(
        `${amount.at}/default`,
        'amount_has_default',
        'nobody should pay an amount that nobody named',
        'remove the default and require the field',
      ),
    )
  return faults
}

export function unknownCurrency(at: string, code: string): ManifestFault {
  return errorAt(
    at,
    'unknown_currency',
    `${code} is not a currency of ISO 4217 with a minor unit`,
    'use a currency code such as CNY',
  )
}

export function notThere(at: string, pointer: string, side: string): ManifestFault {
  return errorAt(
    at,
    'pointer_to_nothing',
    `the ${side} schema has no field at ${pointer}`,
    `point at a field of the ${side}`,
  )
}

export function notAlways(field: SchemaField): ManifestFault {
  return errorAt(
    field.at,
    'field_not_required',
    `${field.pointer} may be missing`,
    'list it under required, and every object on the way to it',
  )
}

export function unmarked(field: SchemaField, kind: string): ManifestFault {
  return errorAt(
    field.at,
    `unmarked_${kind}`,
    `${field.pointer} is used as ${kind} but not marked`,
    `add "x-kind": "${kind}"`,
  )
}
