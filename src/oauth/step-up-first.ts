import { keptForm, keptQuery } from '../pages/kept-form.ts'
import type { PageAnswer, PageRequest } from '../pages/page.ts'
import { isSteppedUp } from '../people/person.ts'
import type { Pseudonyms } from '../ports/pseudonyms.ts'
import type { AgentRow } from '../ports/rows.ts'
import { CONNECT } from './texts/connect.ts'

/** What it takes to send a person to use their passkey and to know them, and their answer, again. */
export type PassingStepUp = {
  readonly pseudonyms: Pick<Pseudonyms, 'formTag'>
  readonly nowMs: () => number
}

/** What a person had chosen before they were sent to use their passkey. */
export type KeptAnswer = {
  readonly replaces: string
  readonly userCode: string
  readonly said: string | undefined
}

/**
 * The way to the passkey where a yes moves an older connection or goes on with it, whose grants are worth a thief's
 * while; connecting itself gives nothing. Undefined where none is needed. What was chosen comes back with the person.
 */
export function stepUpFirst(
  passing: PassingStepUp,
  visit: PageRequest,
  asked: { readonly path: string; readonly continued: AgentRow | undefined },
): PageAnswer | undefined {
  const { form, person } = visit
  const isMove = (form.get('replaces') ?? '') !== ''
  if (form.get('answer') !== 'yes' || (!isMove && !asked.continued)) return undefined
  if (person && isSteppedUp(person, passing.nowMs())) return undefined
  const next = `${asked.path}?${keptQuery(passing, visit)}`
  return { kind: 'redirect', location: `/step-up?next=${encodeURIComponent(next)}` }
}

/** What was chosen in this session before a step-up. It fills in the form; opening its address answers nothing. */
export function keptAnswer(passing: PassingStepUp, visit: PageRequest): KeptAnswer | undefined {
  const kept = keptForm(passing, visit)
  if (!kept) return undefined
  const { person, locale } = visit
  const isConfirmed = person !== null && isSteppedUp(person, passing.nowMs())
  return {
    replaces: kept.get('replaces') ?? '',
    userCode: kept.get('user_code') ?? '',
    said: isConfirmed ? CONNECT[locale].stepUpDone : undefined,
  }
}
