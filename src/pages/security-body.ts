import { html } from 'hono/html'
import { speakerOf } from '../core/grant/speaker.ts'
import type { StepUpAbove } from '../core/people/step-up-policy.ts'
import type { OwnPasskey } from '../people/passkeys.ts'
import type { Person } from '../people/person.ts'
import type { OwnSession } from '../people/sessions.ts'
import { csrfField, field, notice, shown } from './elements.ts'
import { type ErasureFacts, erasureSection } from './erasure-section.ts'
import type { Html, PageRequest } from './page.ts'
import { type ErasableParts, partErasureSection } from './part-erasure-section.ts'
import { passkeyForm } from './passkey-form.ts'
import { PEOPLE } from './texts/people.ts'
import type { PeopleTexts } from './texts/people-en.ts'
import { REACH } from './texts/reach.ts'

/** What a person did here that did not go. */
export type SecurityFault =
  | 'last_passkey'
  | 'recovered_recently'
  | 'too_many'
  | 'refused'
  | 'amount'
  | 'not_sure'
  | 'erasure_under_way'
  | 'too_many_erasures'

export type SecurityFacts = {
  readonly person: Person
  readonly passkeys: readonly OwnPasskey[]
  readonly sessions: readonly OwnSession[]
  readonly codesLeft: number
  /** Null for operators, who approve nothing. */
  readonly thresholds: StepUpAbove | null
  readonly mayChange: boolean
  readonly zone: string
  readonly erasure: ErasureFacts['erasure']
  /** Null for operators. */
  readonly parts: ErasableParts | null
  readonly fault: SecurityFault | undefined
}

/** Prints what lets a person in and where they are signed in. */
export function securityBody(visit: PageRequest, facts: SecurityFacts): Html {
  const t = PEOPLE[visit.locale]
  return html`<div class="head"><h1>${t.securityTitle}</h1><p class="dim">${t.securityIntro}</p></div>
${facts.fault ? notice('bad', faultText(t, facts.fault)) : ''}
${facts.mayChange ? '' : html`<div class="notice notice-plain"><p>${t.readOnly}</p><p><a class="button" href="/step-up?next=%2Fsecurity">${t.unlock}</a></p></div>`}
${passkeySection(visit, facts)}
${sessionSection(visit, facts)}
${facts.passkeys.length > 0 ? codesSection(visit, facts) : ''}
${facts.thresholds ? thresholdSection(visit, facts, facts.thresholds) : ''}
${facts.parts ? partErasureSection(visit, { ...facts, parts: facts.parts }) : ''}
${facts.person.kind === 'user' ? erasureSection(visit, facts) : ''}
${facts.person.kind === 'user' ? html`<section class="card"><p><a href="/channels">${REACH[visit.locale].channelsTitle}</a> · <a href="/linked">${REACH[visit.locale].linkedTitle}</a></p></section>` : ''}
<section class="card"><p><a href="/sign-in/terminal">${t.terminalLink}</a></p></section>`
}

function faultText(t: PeopleTexts, fault: SecurityFault): string {
  switch (fault) {
    case 'last_passkey':
      return t.lastPasskey
    case 'recovered_recently':
      return t.recoveredRecently
    case 'too_many':
      return t.tooManyPasskeys
    case 'refused':
      return t.passkeyFailed
    case 'amount':
      return t.amountRefused
    case 'not_sure':
      return t.erasureNotSure
    case 'erasure_under_way':
      return t.erasureUnderWay
    case 'too_many_erasures':
      return t.partErasureTooMany
  }
}

function passkeySection(visit: PageRequest, { passkeys, mayChange, zone }: SecurityFacts): Html {
  const t = PEOPLE[visit.locale]
  const speaker = speakerOf(visit.locale, zone)
  const items = passkeys.map((passkey, i) => {
    const name = passkey.name === '' ? t.passkeyUnnamed : shown(passkey.name)
    const used = passkey.lastUsedAtMs === null ? t.never : speaker.instant(passkey.lastUsedAtMs)
    return html`<li class="stack"><p><strong>${name}</strong><br><span class="dim small">${t.created} ${speaker.instant(passkey.createdAtMs)} · ${t.lastUsed}: ${used}</span></p>
${mayChange ? html`${renameForm(visit, passkey, i)}${passkeys.length > 1 ? button(visit, '/security/passkeys/remove', 'passkey', passkey.credentialId, t.remove) : html`<p class="dim small">${t.lastPasskey}</p>`}` : ''}</li>`
  })
  const name = field(
    { name: 'name', label: t.passkeyName, hint: t.passkeyNameHint },
    (attributes) => html`<input ${attributes} maxlength="60" autocomplete="off">`,
  )
  return html`<section class="card stack"><h2>${t.passkeys}</h2>${passkeys.length === 0 ? html`<p class="dim">${t.noPasskeys}</p>` : html`<ul class="plain">${items}</ul>`}
${mayChange && passkeys.length > 0 ? passkeyForm(visit, { use: 'create', action: '/security/passkeys', options: '/security/passkeys/options', button: t.addPasskey, fields: name, isQuiet: true }) : ''}</section>`
}

function renameForm({ locale, csrf }: PageRequest, passkey: OwnPasskey, index: number): Html {
  const t = PEOPLE[locale]
  const id = `rename-${index}`
  return html`<form method="post" action="/security/passkeys/rename" class="row">${csrfField(csrf)}<input type="hidden" name="passkey" value="${passkey.credentialId}"><label class="sr" for="${id}">${t.passkeyName}</label><input id="${id}" name="name" maxlength="60" value="${passkey.name}" autocomplete="off"><button class="plain">${t.rename}</button></form>`
}

function button({ csrf }: PageRequest, action: string, name: string, value: string, text: string): Html {
  return html`<form method="post" action="${action}">${csrfField(csrf)}<input type="hidden" name="${name}" value="${value}"><button class="plain">${text}</button></form>`
}

function sessionSection(visit: PageRequest, { sessions, zone }: SecurityFacts): Html {
  const t = PEOPLE[visit.locale]
  const speaker = speakerOf(visit.locale, zone)
  const items = sessions.map((session) => {
    const device = session.device === '' ? t.unknownDevice : session.device
    const tags = [session.isThis ? t.thisSession : '', session.channel === 'terminal' ? t.terminal : '']
    return html`<li class="between"><p><strong>${device}</strong> ${tags.filter((tag) => tag !== '').map((tag) => html`<span class="tag">${tag}</span> `)}<br><span class="dim small">${t.since} ${speaker.instant(session.signedInAtMs)} · ${t.lastSeen} ${speaker.instant(session.lastSeenAtMs)}</span></p>
${session.isThis ? '' : button(visit, '/security/sessions/end', 'session', session.id, t.endSession)}</li>`
  })
  return html`<section class="card stack"><h2>${t.sessions}</h2><ul class="plain">${items}</ul>
<div class="row">${sessions.length > 1 ? button(visit, '/security/sessions/end-all', 'which', 'others', t.endOthers) : ''}${button(visit, '/security/sessions/end-all', 'which', 'all', t.endAll)}</div></section>`
}

function codesSection(visit: PageRequest, { codesLeft, mayChange }: SecurityFacts): Html {
  const t = PEOPLE[visit.locale]
  return html`<section class="card stack"><h2>${t.codesTitle}</h2><p>${t.codesLeft(codesLeft)}</p>
${mayChange ? html`<form method="post" action="/security/recovery-codes" class="stack">${csrfField(visit.csrf)}<p class="dim small">${t.newCodesText}</p><p class="actions"><button class="plain">${t.newCodes}</button></p></form>` : ''}</section>`
}

function thresholdSection(visit: PageRequest, { mayChange, zone }: SecurityFacts, above: StepUpAbove): Html {
  const t = PEOPLE[visit.locale]
  const speaker = speakerOf(visit.locale, zone)
  const set = Object.entries(above)
  const currency = field(
    { name: 'currency', label: t.currency },
    (attributes) =>
      html`<input ${attributes} maxlength="3" size="4" required pattern="[A-Z]{3}" value="CNY" autocomplete="off">`,
  )
  const amount = field(
    { name: 'amount', label: t.amount, hint: t.amountHint },
    (attributes) =>
      html`<input ${attributes} maxlength="20" required inputmode="decimal" autocomplete="off">`,
  )
  return html`<section class="card stack"><h2>${t.thresholds}</h2><p class="dim">${t.thresholdsText}</p>
${set.length === 0 ? html`<p>${t.thresholdNone}</p>` : html`<ul class="plain">${set.map(([code, minor]) => html`<li>${t.upTo(speaker.money(minor, code))}</li>`)}</ul>`}
${mayChange ? html`<form method="post" action="/security/threshold" class="stack">${csrfField(visit.csrf)}${currency}${amount}<p class="actions"><button class="plain">${t.setThreshold}</button></p></form>` : ''}</section>`
}
