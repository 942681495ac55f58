import { timingSafeEqual } from 'node:crypto'
import type { Pseudonyms } from '../ports/pseudonyms.ts'
import { type Form, formOf } from './form.ts'
import type { PageRequest } from './page.ts'

const CHARACTERS_MOST = 3_000

/** Fields that are never carried along: they belong to one sending of one form. */
const LEFT_OUT = ['csrf', 'answer', 'kept', 'shown']

type Keeper = { readonly pseudonyms: Pick<Pseudonyms, 'formTag'> }

/**
 * What was entered, as query parameters, so that a page can show it again after a step-up. Tagged for this session: a
 * link of somebody else's making must not fill in what a person is about to send. Empty where that would be too long
 * for an address: then the page shows what it first showed.
 */
export function keptQuery(
  { pseudonyms }: Keeper,
  { form, person }: Pick<PageRequest, 'form' | 'person'>,
): string {
  const fields = new URLSearchParams()
  for (const name of form.names) {
    if (LEFT_OUT.includes(name)) continue
    for (const value of form.all(name)) fields.append(name, value)
  }
  const kept = fields.toString()
  if (kept.length > CHARACTERS_MOST || !person) return ''
  return new URLSearchParams({ kept, tag: pseudonyms.formTag(person.sessionId, kept) }).toString()
}

/** What was entered in this session before a step-up, or null. It only fills in controls: opening an address does nothing. */
export function keptForm(
  { pseudonyms }: Keeper,
  { query, person }: Pick<PageRequest, 'query' | 'person'>,
): Form | null {
  const { kept, tag } = query
  if (kept === undefined || tag === undefined || kept.length > CHARACTERS_MOST || !person) return null
  const expected = Buffer.from(pseudonyms.formTag(person.sessionId, kept))
  const given = Buffer.from(tag)
  if (given.byteLength !== expected.byteLength || !timingSafeEqual(given, expected)) return null
  return formOf(new URLSearchParams(kept))
}
