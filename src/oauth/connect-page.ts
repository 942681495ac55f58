import { html } from 'hono/html'
import type { Page, PageAnswer, PageRequest } from '../pages/page.ts'
import { hasBegun } from './connect-cookie.ts'
import { connectForm } from './connect-form.ts'
import type { Connected, Connecting, ConnectView } from './connecting.ts'
import { type KeptAnswer, keptAnswer, type PassingStepUp, stepUpFirst } from './step-up-first.ts'
import { CONNECT } from './texts/connect.ts'

/** The pages of an authorization request: the question, and the way back to the program. */
export function connectPages(connecting: Connecting, passing: PassingStepUp): Page[] {
  return [
    {
      method: 'get',
      path: '/connect/{uid}',
      who: 'user',
      async run(request) {
        const view = await begunHere(connecting, request)
        if (!view) return gone(request)
        if (view.answered) return goOn(connecting, request, view)
        return ask(connecting, request, view, undefined, keptAnswer(passing, request))
      },
    },
    {
      method: 'post',
      path: '/connect/{uid}',
      who: 'user',
      async run(request) {
        const view = await begunHere(connecting, request)
        if (!view) return gone(request)
        if (!view.answered) {
          const continued = await connecting.continued(request.person?.id ?? '', view.client)
          const stepUp = stepUpFirst(passing, request, { path: `/connect/${view.uid}`, continued })
          if (stepUp) return stepUp
          const fault = await answer(connecting, request, view)
          if (fault !== undefined) return ask(connecting, request, view, fault)
        }
        return { kind: 'redirect', location: `/connect/${view.uid}` }
      },
    },
  ]
}

/** The request of this path, if this very browser began it: the answer goes to whoever did. */
async function begunHere(
  connecting: Connecting,
  { params, cookie, person }: PageRequest,
): Promise<ConnectView | undefined> {
  const uid = params.uid ?? ''
  if (!hasBegun(cookie('connect'), uid)) return undefined
  const view = await connecting.find(uid)
  const answeredBy = view?.answered?.userId ?? null
  return answeredBy !== null && answeredBy !== person?.id ? undefined : view
}

async function ask(
  connecting: Connecting,
  request: PageRequest,
  view: ConnectView,
  fault?: string,
  kept?: KeptAnswer,
): Promise<PageAnswer> {
  const userId = request.person?.id ?? ''
  const replaceable = await connecting.replaceable(userId)
  return {
    kind: 'html',
    ...(fault === undefined ? {} : { status: 409 }),
    title: CONNECT[request.locale].title,
    isPlain: true,
    body: connectForm(request, {
      view,
      continued: await connecting.continued(userId, view.client),
      replaceable,
      replaces: request.form.get('replaces') ?? kept?.replaces,
      fault,
      said: kept?.said,
      action: `/connect/${view.uid}`,
    }),
  }
}

/** @returns what the person is told where the yes could not be kept. */
async function answer(
  connecting: Connecting,
  { form, person, locale }: PageRequest,
  { uid }: ConnectView,
): Promise<string | undefined> {
  const said = form.get('answer')
  if (said === 'no') {
    await connecting.refuse(uid)
    return undefined
  }
  if (said !== 'yes' || !person) return undefined
  const replaces = form.get('replaces')
  const connected = await connecting.accept(uid, person.id, replaces === '' ? undefined : replaces)
  return connectFault(connected, locale)
}

/** Why a yes was not kept, in words; undefined where it was. */
export function connectFault(
  connected: Connected | undefined,
  locale: PageRequest['locale'],
): string | undefined {
  const texts = CONNECT[locale]
  switch (connected?.kind) {
    case 'frozen':
      return texts.frozen
    case 'too_many_agents':
      return texts.tooMany
    case 'move_refused':
      return texts.moveRefused
    default:
      return undefined
  }
}

/**
 * On to the questions the program came with, one after another, and then back to it. The way back is a page of its
 * own and not a redirect: a form's answer may not lead to another site (CSP `form-action`).
 */
async function goOn(
  connecting: Connecting,
  request: PageRequest,
  { uid, answered, resumePath }: ConnectView,
): Promise<PageAnswer> {
  const open = await connecting.firstOpen(request.person?.id ?? '', answered?.requestIds ?? [])
  if (open !== undefined) {
    return { kind: 'redirect', location: `/consents/${open}?next=${encodeURIComponent(`/connect/${uid}`)}` }
  }
  const texts = CONNECT[request.locale]
  return {
    kind: 'html',
    title: texts.backTitle,
    isPlain: true,
    body: html`<meta http-equiv="refresh" content="0; url=${resumePath}"><section class="card narrow"><h1>${texts.backTitle}</h1><p>${texts.backText}</p>
<p class="actions"><a class="button" href="${resumePath}">${texts.backLink}</a></p></section>`,
  }
}

function gone({ locale }: PageRequest): PageAnswer {
  const texts = CONNECT[locale]
  return {
    kind: 'html',
    status: 404,
    title: texts.goneTitle,
    isPlain: true,
    body: html`<section class="card narrow"><h1>${texts.goneTitle}</h1><p>${texts.goneText}</p></section>`,
  }
}
