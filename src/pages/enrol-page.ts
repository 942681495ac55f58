import { html } from 'hono/html'
import {
  beginEnrolment,
  type Enrolled,
  type Enrolment,
  finishEnrolment,
  showEnrolment,
} from '../people/enrol.ts'
import { field, notice } from './elements.ts'
import type { Page, PageAnswer, PageRequest } from './page.ts'
import { PASSKEY_SCRIPTS, passkeyForm } from './passkey-form.ts'
import { browserOf, HOME, type PeoplePageDeps, sessionCookie, underOwnName } from './people-visit.ts'
import { PEOPLE } from './texts/people.ts'

/** The page behind a link that makes somebody's first passkey, or the new one after a recovery. */
export function enrolPages(deps: PeoplePageDeps): Page[] {
  return [
    {
      method: 'get',
      path: '/enrol/{token}',
      who: 'anyone',
      run: async (visit) => underOwnName(deps, visit) ?? show(deps, visit, 200),
    },
    {
      method: 'post',
      path: '/enrol/{token}/options',
      who: 'anyone',
      async run(visit) {
        const target = 'enrolment'
        if (deps.throttle.waitSeconds(visit.address, target) > 0) return { kind: 'not_found' }
        const begun = await beginEnrolment(deps, {
          token: visit.params.token ?? '',
          operatorName: visit.form.get('operator'),
          preSession: browserOf(visit).preSession,
        })
        if (begun.kind === 'begun') {
          return { kind: 'json', body: { options: JSON.parse(JSON.stringify(begun.options)) } }
        }
        const t = PEOPLE[visit.locale]
        if (begun.kind === 'name_refused') return { kind: 'json', body: { message: t.operatorNameRefused } }
        deps.throttle.wrong(visit.address, target)
        return { kind: 'json', body: { message: t.linkVoidText } }
      },
    },
    {
      method: 'post',
      path: '/enrol/{token}',
      who: 'anyone',
      async run(visit) {
        const enrolled = await finishEnrolment(deps, {
          answer: visit.form.get('answer') ?? '',
          passkeyName: visit.form.get('name') ?? '',
          purpose: 'enrol',
          browser: browserOf(visit),
        })
        return enrolled.kind === 'refused'
          ? show(deps, visit, 403)
          : enrolledAnswer(deps, visit, enrolled, HOME)
      },
    },
  ]
}

async function show(deps: PeoplePageDeps, visit: PageRequest, status: number): Promise<PageAnswer> {
  const t = PEOPLE[visit.locale]
  const token = visit.params.token ?? ''
  const enrolment = await showEnrolment(deps, token)
  if (!enrolment) {
    const body = html`<section class="card narrow"><h1>${t.linkVoid}</h1><p>${t.linkVoidText}</p><p class="actions"><a class="button plain" href="/sign-in">${t.signInTitle}</a></p></section>`
    return { kind: 'html', status: 404, title: t.linkVoid, body, isPlain: true }
  }
  const operator = field(
    { name: 'operator', label: t.operatorName, hint: t.operatorNameHint },
    (attributes) =>
      html`<input ${attributes} maxlength="64" required pattern="[a-z0-9][a-z0-9._@\\-]*" autocapitalize="none" autocomplete="username" spellcheck="false">`,
  )
  const name = field(
    { name: 'name', label: t.passkeyName, hint: t.passkeyNameHint },
    (attributes) => html`<input ${attributes} maxlength="60" autocomplete="off">`,
  )
  const body = html`<section class="card narrow"><h1>${t.enrolTitle}</h1>
${status === 200 ? '' : notice('bad', t.refused)}<p>${introOf(enrolment, visit)}</p><p class="dim">${t.enrolOnce}</p>
${passkeyForm(visit, { use: 'create', action: `/enrol/${token}`, options: `/enrol/${token}/options`, button: t.enrolButton, fields: html`${enrolment.purpose === 'first_operator' ? operator : ''}${name}` })}</section>`
  return { kind: 'html', status, title: t.enrolTitle, body, scripts: PASSKEY_SCRIPTS, isPlain: true }
}

function introOf({ purpose, kind }: Enrolment, { locale }: PageRequest): string {
  const t = PEOPLE[locale]
  switch (purpose) {
    case 'first_operator':
      return t.enrolFirstOperator
    case 'invitation':
      return t.enrolInvitation(kind)
    case 'recovery':
      return t.enrolRecovery
  }
}

/** Signs in whoever has just made a passkey, and shows their recovery codes this once. */
export function enrolledAnswer(
  deps: PeoplePageDeps,
  visit: PageRequest,
  enrolled: Extract<Enrolled, { kind: 'enrolled' }>,
  next: string,
): PageAnswer {
  const t = PEOPLE[visit.locale]
  const cookies = [sessionCookie(deps, enrolled.person, enrolled.cookie)]
  const { codes } = enrolled
  const title = codes ? t.codesTitle : t.madeTitle
  const body = codes
    ? codesBody(visit, codes, next)
    : html`<section class="card narrow"><h1>${t.madeTitle}</h1><p>${t.madeText}</p><p class="actions"><a class="button" href="${next}">${t.goOn}</a></p></section>`
  return { kind: 'html', title, body, cookies, isPlain: true }
}

/** Recovery codes, shown once. */
export function codesBody({ locale }: PageRequest, codes: readonly string[], next: string) {
  const t = PEOPLE[locale]
  return html`<section class="card narrow"><h1>${t.codesTitle}</h1><p>${t.codesText}</p>
<ol class="plain codes">${codes.map((code) => html`<li><code class="mono">${code}</code></li>`)}</ol>
<p class="actions"><a class="button" href="${next}">${t.codesDone}</a></p></section>`
}
