import { html } from 'hono/html'
import type { ErasureView } from '../broker/show-erasure.ts'
import { speakerOf } from '../core/grant/speaker.ts'
import { visibleText } from '../core/text-rules.ts'
import { check, csrfField, field, select, shown } from './elements.ts'
import { waitText } from './erasure-section.ts'
import type { Html, PageRequest } from './page.ts'
import { PEOPLE } from './texts/people.ts'

/** What may be erased by itself: values of the form, such as `skill coffee.order`, with what stands there. */
export type ErasableParts = {
  readonly skills: readonly string[]
  readonly agents: readonly { readonly id: string; readonly name: string }[]
  readonly asked: readonly ErasureView[]
}

/** Prints how a user has what one skill or one agent left erased, and how far that has come. */
export function partErasureSection(
  visit: PageRequest,
  { parts, mayChange, zone }: { parts: ErasableParts; mayChange: boolean; zone: string },
): Html {
  const t = PEOPLE[visit.locale]
  const options = [
    ...parts.skills.map((id) => [`skill ${id}`, t.partErasureSkill(visibleText(id))] as const),
    ...parts.agents.map(
      ({ id, name }) => [`agent ${id}`, t.partErasureAgent(visibleText(name || id))] as const,
    ),
  ]
  const form = html`<form method="post" action="/security/erasure/part" class="stack">${csrfField(visit.csrf)}${field({ name: 'part', label: t.partErasureWhat }, (attributes) => select(attributes, options, ''))}${check({ name: 'sure_part', value: 'yes', label: t.partErasureSure, isChecked: false })}<p class="actions"><button class="plain">${t.partErasureButton}</button></p></form>`
  return html`<section class="card stack" id="erase-part"><h2>${t.partErasureTitle}</h2>
<p>${t.partErasureText}</p>
${parts.asked.length === 0 ? '' : html`<ul>${parts.asked.map((one) => asked(visit, one, parts, zone))}</ul>`}
${options.length === 0 ? html`<p class="dim">${t.partErasureNone}</p>` : mayChange ? form : ''}</section>`
}

function asked(visit: PageRequest, one: ErasureView, { agents }: ErasableParts, zone: string): Html {
  const t = PEOPLE[visit.locale]
  const id = one.scopeId ?? ''
  const name = agents.find((agent) => agent.id === id)?.name || id
  const what = one.scope === 'skill' ? t.partErasureSkill(id) : t.partErasureAgent(name)
  const { done, total } = one.progress
  const state =
    one.status === 'done' && one.endedAtMs !== null
      ? t.partErasureDone(speakerOf(visit.locale, zone).instant(one.endedAtMs))
      : one.status === 'cancelled'
        ? t.partErasureEnded
        : t.partErasureRuns(String(done), String(total))
  return html`<li>${shown(what)} · ${state}${one.waitsFor === null || one.endedAtMs !== null ? '' : html`<br><span class="dim small">${waitText(t, one.waitsFor)}</span>`}</li>`
}
