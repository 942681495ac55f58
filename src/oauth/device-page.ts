import { html } from 'hono/html'
import type { RateLimit } from '../http/rate-limit.ts'
import { csrfField, field } from '../pages/elements.ts'
import type { Page, PageAnswer, PageRequest } from '../pages/page.ts'
import { connectForm } from './connect-form.ts'
import { connectFault } from './connect-page.ts'
import type { Connecting } from './connecting.ts'
import { type Devices, type DeviceView, normalUserCode } from './devices.ts'
import { type KeptAnswer, keptAnswer, type PassingStepUp, stepUpFirst } from './step-up-first.ts'
import { CONNECT } from './texts/connect.ts'

export type DevicePageDeps = {
  readonly devices: Devices
  readonly connecting: Pick<Connecting, 'firstOpen' | 'replaceable' | 'continued'>
  /** Codes one person may try: they are short, and somebody else's device may be waiting. */
  readonly guesses: RateLimit
  readonly monotonicMs: () => number
  readonly passing: PassingStepUp
}

/** The pages of the device flow (RFC 8628): type the code, read what asks, answer. */
export function devicePages(deps: DevicePageDeps): Page[] {
  return [
    {
      method: 'get',
      path: '/device',
      who: 'user',
      run: (request) => open(deps, request),
    },
    {
      method: 'post',
      path: '/device',
      who: 'user',
      run: (request) => answerDevice(deps, request),
    },
    { method: 'get', path: '/device/done', who: 'user', run: (request) => done(request) },
  ]
}

async function answerDevice(deps: DevicePageDeps, request: PageRequest): Promise<PageAnswer> {
  const { form, person, locale } = request
  const texts = CONNECT[locale]
  const typed = form.get('user_code') ?? ''
  if (!person) return { kind: 'not_found' }
  if (deps.guesses.take(person.id, deps.monotonicMs()) > 0) {
    return enterCode(request, typed, { status: 429, text: texts.slowDown })
  }
  const code = normalUserCode(typed)
  const view = code === undefined ? undefined : await deps.devices.find(code)
  if (!view || code === undefined) return enterCode(request, typed, { status: 404, text: texts.unknownCode })

  switch (form.get('answer')) {
    case 'no':
      await deps.devices.refuse(code)
      return message(request, texts.deviceRefusedTitle, texts.deviceRefusedText)
    case 'yes': {
      const continued = await deps.connecting.continued(person.id, view.client)
      const stepUp = stepUpFirst(deps.passing, request, { path: '/device', continued })
      if (stepUp) return stepUp
      const replaces = form.get('replaces')
      const connected = await deps.devices.accept(code, person.id, replaces === '' ? undefined : replaces)
      if (!connected) return enterCode(request, typed, { status: 404, text: texts.unknownCode })
      if (connected.kind !== 'connected')
        return ask(deps, request, view, code, connectFault(connected, locale))
      const open = await deps.connecting.firstOpen(person.id, connected.requestIds)
      const next = encodeURIComponent('/device/done')
      return {
        kind: 'redirect',
        location: open === undefined ? '/device/done' : `/consents/${open}?next=${next}`,
      }
    }
    default:
      return ask(deps, request, view, code)
  }
}

/** Back from a step-up the question stands there again, as it was answered; it is the person who sends it. */
async function open(deps: DevicePageDeps, request: PageRequest): Promise<PageAnswer> {
  const kept = keptAnswer(deps.passing, request)
  const code = kept && normalUserCode(kept.userCode)
  const view = code === undefined ? undefined : await deps.devices.find(code)
  if (view && code !== undefined) return ask(deps, request, view, code, undefined, kept)
  return enterCode(request, request.query.user_code ?? '')
}

async function ask(
  { connecting }: DevicePageDeps,
  request: PageRequest,
  view: DeviceView,
  code: string,
  fault?: string,
  kept?: KeptAnswer,
): Promise<PageAnswer> {
  return {
    kind: 'html',
    ...(fault === undefined ? {} : { status: 409 }),
    title: CONNECT[request.locale].deviceTitle,
    isPlain: true,
    body: connectForm(request, {
      view,
      userCode: `${code.slice(0, 4)}-${code.slice(4)}`,
      continued: await connecting.continued(request.person?.id ?? '', view.client),
      replaceable: await connecting.replaceable(request.person?.id ?? ''),
      replaces: request.form.get('replaces') ?? kept?.replaces,
      fault,
      said: kept?.said,
      action: '/device',
    }),
  }
}

/** A link may bring a code along, but it is the person who sends it: nothing is answered by opening a link. */
function enterCode(
  { locale, csrf }: PageRequest,
  typed: string,
  fault?: { status: number; text: string },
): PageAnswer {
  const texts = CONNECT[locale]
  return {
    kind: 'html',
    ...(fault ? { status: fault.status } : {}),
    title: texts.deviceTitle,
    isPlain: true,
    body: html`<section class="card narrow"><h1>${texts.deviceTitle}</h1><p>${texts.deviceText}</p>
<form method="post" action="/device" class="stack">${csrfField(csrf)}
${field(
  { name: 'user_code', label: texts.code, hint: texts.deviceAsk, fault: fault?.text },
  (attributes) =>
    html`<input ${attributes} class="code" value="${typed.slice(0, 20)}" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="20" required>`,
)}
<p class="actions"><button>${texts.next}</button></p></form></section>`,
  }
}

function done(request: PageRequest): PageAnswer {
  const texts = CONNECT[request.locale]
  return message(request, texts.deviceDoneTitle, texts.deviceDoneText)
}

function message({ locale }: PageRequest, title: string, text: string): PageAnswer {
  return {
    kind: 'html',
    title,
    isPlain: true,
    body: html`<section class="card narrow"><h1>${title}</h1><p>${text}</p><p class="actions"><a class="button plain" href="/me">${CONNECT[locale].toAuthority}</a></p></section>`,
  }
}
