import { html } from 'hono/html'
import type { ErasureView } from '../broker/show-erasure.ts'
import type { ErasureWait } from '../core/erasure/erasure-steps.ts'
import { speakerOf } from '../core/grant/speaker.ts'
import { check, csrfField, notice } from './elements.ts'
import { EXPORT_PATH } from './export-page.ts'
import type { Html, PageRequest } from './page.ts'
import { PEOPLE } from './texts/people.ts'
import type { PeopleTexts } from './texts/people-en.ts'

export type ErasureFacts = {
  /** Undefined where none was ever asked for. */
  readonly erasure: ErasureView | undefined
  readonly mayChange: boolean
  readonly zone: string
}

/** Prints how a user gets what is kept about them, and how they have it erased or stop that. */
export function erasureSection(visit: PageRequest, facts: ErasureFacts): Html {
  const t = PEOPLE[visit.locale]
  const { erasure, mayChange } = facts
  const isWaiting = erasure?.status === 'waiting'
  return html`<section class="card stack" id="your-data"><h2>${t.yourData}</h2>
<p>${t.exportText}</p>
${mayChange ? html`<p class="actions"><a class="button plain" href="${EXPORT_PATH}" download="countersign-export.json">${t.exportButton}</a></p>` : ''}
${erasure && isWaiting ? waiting(visit, facts, erasure) : html`<p>${t.erasureText}</p>${mayChange ? requestForm(visit) : ''}`}</section>`
}

function waiting(visit: PageRequest, { mayChange, zone }: ErasureFacts, erasure: ErasureView): Html {
  const t = PEOPLE[visit.locale]
  const due = speakerOf(visit.locale, zone).instant(erasure.dueAtMs)
  return html`${notice('warn', t.erasureDue(due))}
${erasure.waitsFor === null ? '' : html`<p>${waitText(t, erasure.waitsFor)}</p>`}
${mayChange ? html`<form method="post" action="/security/erasure/cancel">${csrfField(visit.csrf)}<p class="actions"><button>${t.erasureCancel}</button></p></form>` : ''}`
}

function requestForm(visit: PageRequest): Html {
  const t = PEOPLE[visit.locale]
  return html`<form method="post" action="/security/erasure" class="stack">${csrfField(visit.csrf)}${check({ name: 'sure', value: 'yes', label: t.erasureSure, isChecked: false })}<p class="actions"><button class="plain">${t.erasureButton}</button></p></form>`
}

/** Why an erasure does not go on yet. */
export function waitText(t: PeopleTexts, waitsFor: ErasureWait): string {
  switch (waitsFor) {
    case 'incident':
      return t.erasureWaitsIncident
    case 'legal_hold':
      return t.erasureWaitsHold
    case 'in_doubt':
      return t.erasureWaitsDoubt
    case 'writers':
      return t.erasureWaitsWriters
    case 'message':
      return t.erasureWaitsMessage
  }
}
