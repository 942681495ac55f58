import { html } from 'hono/html'
import { sessionSecondsMost } from '../core/people/session-age.ts'
import { isSteppedUp } from '../core/people/step-up.ts'
import { answerTerminalLogin, showTerminalLogin } from '../people/terminal-login.ts'
import { csrfField, field, notice, shown } from './elements.ts'
import type { Page, PageAnswer, PageRequest } from './page.ts'
import type { PeoplePageDeps } from './people-visit.ts'
import { PEOPLE } from './texts/people.ts'

const HERE = '/sign-in/terminal'

/** Where a person lets a terminal act for them, after comparing the code it shows. */
export function terminalPages(deps: PeoplePageDeps): Page[] {
  return [
    {
      method: 'get',
      path: HERE,
      who: 'signed_in',
      // The code is never taken from an address: a link somebody sent must not fill it in.
      run: (visit) =>
        hasSteppedUp(deps, visit)
          ? askCode(visit, undefined, 200)
          : { kind: 'redirect', location: `/step-up?next=${encodeURIComponent(HERE)}` },
    },
    { method: 'post', path: HERE, who: 'signed_in', run: (visit) => answer(deps, visit) },
  ]
}

async function answer(deps: PeoplePageDeps, visit: PageRequest): Promise<PageAnswer> {
  const { person, form, address } = visit
  const t = PEOPLE[visit.locale]
  if (!person || !hasSteppedUp(deps, visit)) {
    return { kind: 'redirect', location: `/step-up?next=${encodeURIComponent(HERE)}` }
  }
  const code = form.get('code') ?? ''
  const said = form.get('say')
  const outcome =
    said === 'allow' || said === 'refuse'
      ? await answerTerminalLogin(deps, { person, code, allows: said === 'allow', address })
      : await showTerminalLogin(deps, { person, code, address })
  switch (outcome.kind) {
    case 'wait':
      return askCode(visit, t.waitSeconds(outcome.seconds), 429)
    case 'not_found':
      return askCode(visit, t.terminalUnknown, 404)
    case 'waiting':
      return askAnswer(visit, person.kind, code)
    case 'answered': {
      const text = said === 'allow' ? t.terminalAllowed : t.terminalRefused
      const body = html`<section class="card narrow"><h1>${t.terminalTitle}</h1>${notice('good', text)}</section>`
      return { kind: 'html', title: t.terminalTitle, body }
    }
  }
}

function hasSteppedUp(deps: PeoplePageDeps, { person }: PageRequest): boolean {
  return person !== null && isSteppedUp(person, deps.broker.store.now().nowMs)
}

function askCode({ locale, csrf }: PageRequest, fault: string | undefined, status: number): PageAnswer {
  const t = PEOPLE[locale]
  const code = field(
    { name: 'code', label: t.terminalCode, fault },
    (attributes) =>
      html`<input ${attributes} maxlength="20" required autocomplete="off" autocapitalize="characters" spellcheck="false">`,
  )
  const body = html`<section class="card narrow"><h1>${t.terminalTitle}</h1><p>${t.terminalText}</p>
<form method="post" action="${HERE}" class="stack">${csrfField(csrf)}${code}<p class="actions"><button>${t.terminalLook}</button></p></form></section>`
  return { kind: 'html', status, title: t.terminalTitle, body }
}

function askAnswer({ locale, csrf }: PageRequest, kind: 'user' | 'operator', code: string): PageAnswer {
  const t = PEOPLE[locale]
  const hours = sessionSecondsMost(kind, 'terminal') / 3600
  const body = html`<section class="card narrow"><h1>${t.terminalTitle}</h1><p>${t.terminalText}</p>
<p class="big mono">${shown(code)}</p><p>${t.terminalWhat(hours)}</p>
<form method="post" action="${HERE}">${csrfField(csrf)}<input type="hidden" name="code" value="${code}"><p class="actions"><button name="say" value="allow">${t.terminalAllow}</button><button name="say" value="refuse" class="plain">${t.terminalRefuse}</button></p></form></section>`
  return { kind: 'html', title: t.terminalTitle, body }
}
