import { z } from 'zod'
import { readAs } from '../api-client.ts'
import { mustHold } from '../story-failed.ts'
import type { Cast } from './cast.ts'

const DAY_MS = 86_400_000

const sentences = z.array(z.object({ text: z.string(), action: z.string().optional() }))
const description = z.object({
  title: z.string(),
  claims: sentences,
  questions: z.array(z.object({ id: z.string(), heading: z.string(), sentences })),
})
const consentView = z.object({
  requestId: z.string(),
  terms: z.record(z.string(), z.unknown()),
  shown: z.object({ en: description, zh: description, digest: z.string() }),
})
const givenGrant = z.object({
  grant: z.object({
    terms: z.object({
      budgets: z.array(z.object({ limit: z.int() })),
      retentionDays: z.record(z.string(), z.int()),
    }),
  }),
})
type ConsentView = z.infer<typeof consentView>

/** Consent to coffee orders is asked for, shown, narrowed by the user, and given. */
export async function tellCoffeeConsent(cast: Cast): Promise<void> {
  const { narrator } = cast
  narrator.step('Consent is asked for, shown in plain sentences, narrowed and given')
  narrator.say('The agent asks for up to CN¥500 a week at the coffee chain.')
  const view = await askFor(cast, {
    skill: 'coffee.order',
    actions: ['search_stores', 'get_menu', 'quote', 'get_quote', 'order_and_pay', 'get_order'].map(named),
    budgets: [weekly(50_000)],
    askFirst: [{ kind: 'above_amount', currency: 'CNY', amountMinor: 10_000 }],
    categories: ['store', 'basket', 'order', 'price', 'payment'],
    retentionDays: { order_history: 90 },
    purpose: 'Morning coffee for you and your flatmate',
  })
  narrator.say('The user reads, among much else:')
  show(cast, view, ['what', 'spend', 'memory'], 'order_and_pay')

  narrator.say(
    'The user allows less: CN¥150 a week, asked above CN¥50, order history for 30 days, all for one week.',
  )
  const given = {
    ...view.terms,
    budgets: [weekly(15_000)],
    askFirst: [{ kind: 'above_amount', currency: 'CNY', amountMinor: 5_000 }],
    retentionDays: { order_history: 30 },
    expiresAtMs: Date.now() + 7 * DAY_MS,
  }
  const answer = await cast.user.post(`/v1/consent-requests/${view.requestId}/approve`, {
    given,
    shownDigest: view.shown.digest,
  })
  narrator.answer(answer)
  const { terms } = readAs(answer, 200, givenGrant).grant
  mustHold(terms.budgets[0]?.limit === 15_000, 'the grant allows more than the user gave')
  mustHold(terms.retentionDays.order_history === 30, 'the grant keeps memory longer than the user gave')
  narrator.done('The grant holds what the user gave, not what the agent asked for.')
}

/** Consent to transfers, to one saved person only; told briefly. */
export async function givePayConsent(cast: Cast): Promise<void> {
  const { narrator } = cast
  const saved = await cast.user.post('/v1/recipients', { label: 'Lin, my flatmate', value: 'lin' })
  const { recipientId } = readAs(saved, 201, z.object({ recipientId: z.string() }))
  const view = await askFor(cast, {
    skill: 'pay.transfer',
    actions: [
      { name: 'transfer', constraints: [{ kind: 'saved_recipient', recipientIds: [recipientId] }] },
      { name: 'get_balance' },
    ],
    budgets: [{ measure: 'amount', currency: 'CNY', window: { kind: 'rolling', ms: DAY_MS }, limit: 20_000 }],
    categories: ['payment', 'balance'],
    purpose: 'Paying your share to Lin',
  })
  await agree(cast, view)
  narrator.say('The user also lets it pay Lin, and nobody else, up to CN¥200 in 24 hours.')
}

/** Consent to reading one site; told briefly. */
export async function giveBrowseConsent(cast: Cast): Promise<void> {
  const { narrator } = cast
  const origin = { kind: 'origin', pointer: '/url', origins: ['https://shop.example'] }
  const view = await askFor(cast, {
    skill: 'web.browse',
    actions: [{ name: 'open_page', constraints: [origin] }, { name: 'read_page' }],
    categories: ['address', 'page'],
    purpose: 'Reading reviews of coffee beans',
  })
  await agree(cast, view)
  narrator.say('The user lets it read one shop’s site.')
}

async function askFor(cast: Cast, wish: object): Promise<ConsentView> {
  const asked = await cast.agent.post('/v1/consent-requests', wish)
  cast.narrator.answer(asked)
  const { requestId } = readAs(asked, 201, z.object({ requestId: z.string() }))
  const shown = await cast.user.get(`/v1/consent-requests/${requestId}`)
  return readAs(shown, 200, consentView)
}

async function agree(cast: Cast, view: ConsentView): Promise<void> {
  const path = `/v1/consent-requests/${view.requestId}/approve`
  readAs(await cast.user.post(path, { shownDigest: view.shown.digest }), 200, z.object({}))
}

/** Prints some of the questions as the page would, of the actions only one, and one sentence in Chinese. */
function show({ narrator }: Cast, { shown }: ConsentView, ids: readonly string[], about: string): void {
  narrator.shown(shown.en.title)
  for (const { text } of shown.en.claims) narrator.shown(`· ${text}`)
  for (const { id, heading, sentences: told } of shown.en.questions) {
    if (!ids.includes(id)) continue
    narrator.shown('')
    narrator.shown(heading)
    for (const { text, action = about } of told) if (action === about) narrator.shown(`· ${text}`)
  }
  const spend = shown.zh.questions.find(({ id }) => id === 'spend')
  narrator.shown('')
  narrator.shown(`${shown.zh.title} · ${spend?.sentences[0]?.text ?? ''}`)
}

function named(name: string): { name: string } {
  return { name }
}

function weekly(limit: number) {
  return { measure: 'amount', currency: 'CNY', window: { kind: 'rolling', ms: 7 * DAY_MS }, limit }
}
