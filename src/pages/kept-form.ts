import { EMPTY_FORM, type Form, formOf } from './form.ts'

const CHARACTERS_MOST = 3_000

/** Fields that are never carried along: they belong to one sending of one form. */
const LEFT_OUT = ['csrf', 'answer', 'kept', 'shown']

/**
 * What was entered, as a query parameter, so that a page can show it again after a step-up. Empty where that would be
 * too long for an address: then the page shows what it first showed.
 */
export function keptQuery(form: Form): string {
  const fields = new URLSearchParams()
  for (const name of form.names) {
    if (LEFT_OUT.includes(name)) continue
    for (const value of form.all(name)) fields.append(name, value)
  }
  const kept = fields.toString()
  return kept.length > CHARACTERS_MOST ? '' : new URLSearchParams({ kept }).toString()
}

/** What was entered before a step-up, or null. It only fills in controls: nothing is done by opening an address. */
export function keptForm(query: Readonly<Record<string, string>>): Form | null {
  const { kept } = query
  if (kept === undefined || kept.length > CHARACTERS_MOST) return null
  const form = formOf(new URLSearchParams(kept))
  return form.names.length === 0 ? EMPTY_FORM : form
}
