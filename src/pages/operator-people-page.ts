import { html } from 'hono/html'
import { isSteppedUp } from '../core/people/step-up.ts'
import { endOperator, type Invited, invite, listOperators } from '../people/invite.ts'
import { csrfField, field, notice, shown } from './elements.ts'
import type { Html, Page, PageAnswer, PageRequest } from './page.ts'
import type { PeoplePageDeps } from './people-visit.ts'
import { PEOPLE } from './texts/people.ts'

const HERE = '/operator/people'
const STEP_UP: PageAnswer = { kind: 'redirect', location: `/step-up?next=${encodeURIComponent(HERE)}` }

/** Where operators let people in: links for users and operators, and the end of an operator's account. */
export function operatorPeoplePages(deps: PeoplePageDeps): Page[] {
  return [
    { method: 'get', path: HERE, who: 'operator', run: (visit) => show(deps, visit) },
    {
      method: 'post',
      path: `${HERE}/invite`,
      who: 'operator',
      async run(visit) {
        const { person, form } = visit
        if (!person || !isSteppedUp(person, deps.broker.store.now().nowMs)) return STEP_UP
        const kind = form.get('kind') === 'operator' ? 'operator' : 'user'
        const id = (form.get(kind) ?? '').trim()
        const invited = await invite(deps, { by: person, kind, id: id === '' ? undefined : id })
        return show(deps, visit, invited)
      },
    },
    {
      method: 'post',
      path: `${HERE}/end`,
      who: 'operator',
      async run({ person, form }) {
        if (!person || !isSteppedUp(person, deps.broker.store.now().nowMs)) return STEP_UP
        const { kind } = await endOperator(deps, { by: person, id: form.get('id') ?? '' })
        return kind === 'ended' ? { kind: 'redirect', location: HERE } : { kind: 'not_found' }
      },
    },
  ]
}

async function show(deps: PeoplePageDeps, visit: PageRequest, invited?: Invited): Promise<PageAnswer> {
  const t = PEOPLE[visit.locale]
  const operators = await listOperators(deps)
  const items = operators.map(
    ({ id, status }) =>
      html`<li class="between"><p>${shown(id)} ${status === 'active' ? '' : html`<span class="tag">${t.ended}</span>`}</p>${
        status === 'active' && id !== visit.person?.id
          ? html`<form method="post" action="${HERE}/end">${csrfField(visit.csrf)}<input type="hidden" name="id" value="${id}"><button class="plain">${t.endOperator}</button></form>`
          : ''
      }</li>`,
  )
  const user = field(
    { name: 'user', label: t.userId, hint: t.inviteUserHint },
    (attributes) => html`<input ${attributes} maxlength="64" autocomplete="off" spellcheck="false">`,
  )
  const operator = field(
    { name: 'operator', label: t.theirName, hint: t.operatorNameHint },
    (attributes) =>
      html`<input ${attributes} maxlength="64" required autocomplete="off" autocapitalize="none" spellcheck="false">`,
  )
  const body = html`<div class="head"><h1>${t.peopleTitle}</h1></div>${invited ? outcome(t, invited) : ''}
<section class="card stack"><h2>${t.operators}</h2><ul class="plain">${items}</ul></section>
${inviteForm(visit, 'user', t.inviteUser, user, t.inviteButton)}${inviteForm(visit, 'operator', t.inviteOperator, operator, t.inviteButton)}`
  const status = invited && invited.kind !== 'invited' ? 409 : 200
  return { kind: 'html', status, title: t.peopleTitle, body }
}

function inviteForm({ csrf }: PageRequest, kind: string, title: string, control: Html, text: string): Html {
  return html`<section class="card stack"><h2>${title}</h2><form method="post" action="${HERE}/invite" class="stack">${csrfField(csrf)}<input type="hidden" name="kind" value="${kind}">${control}<p class="actions"><button class="plain">${text}</button></p></form></section>`
}

function outcome(t: (typeof PEOPLE)['en'], invited: Invited): Html {
  switch (invited.kind) {
    case 'invited':
      return html`<section class="card stack"><h2>${t.invitedTitle}</h2><p>${t.invitedText}</p><p><code class="mono">${invited.url}</code></p><p class="dim small">${invited.who.id}</p></section>`
    case 'already_enrolled':
      return notice('bad', t.alreadyEnrolled)
    case 'name_refused':
      return notice('bad', t.nameRefused)
  }
}
