import { z } from 'zod'
import type { JsonObject } from '../../core/json-value.ts'
import { expectProblem, readAs } from '../api-client.ts'
import { mustHold } from '../story-failed.ts'
import { ask, type Cast, outcome, pending, tellMoney, yuan } from './cast.ts'

const COFFEE = 'coffee.order'
const quoteResult = outcome.extend({ result: z.object({ quote_id: z.string(), total_amount: z.int() }) })

/** An order within the limits is placed and paid. Returns its action. */
export async function tellOrder(cast: Cast): Promise<string> {
  const { narrator } = cast
  narrator.step('An order is placed and paid')
  const args = await priced(cast, 'latte', 2)
  narrator.say(`Two lattes cost ${yuan(args.total_amount)}. The agent orders them.`)
  const answer = await ask(cast, { skill: COFFEE, action: 'order_and_pay', args })
  narrator.answer(answer)
  const done = readAs(answer, 200, outcome)
  mustHold(done.status === 'succeeded', `the order ended as ${done.status}`)
  const { heldMinor, spentMinor } = await tellMoney(cast, COFFEE)
  mustHold(heldMinor === 0 && spentMinor === 3_380, 'the order was not captured as charged')
  narrator.done('Held before the call, captured as the coffee chain charged it.')
  return done.actionId
}

/** An order beyond the weekly limit is refused. */
export async function tellBeyondLimit(cast: Cast): Promise<void> {
  const { narrator } = cast
  narrator.step('An order beyond the limit is refused')
  const args = await priced(cast, 'beans-250g', 2)
  narrator.say(`Two bags of beans cost ${yuan(args.total_amount)}, more than is left of CN¥150.`)
  const answer = await ask(cast, { skill: COFFEE, action: 'order_and_pay', args })
  narrator.answer(answer)
  expectProblem(answer, 403, 'budget_exceeded')
  const { heldMinor, spentMinor } = await tellMoney(cast, COFFEE)
  mustHold(heldMinor === 0 && spentMinor === 3_380, 'a refused order moved money')
  narrator.done('Refused before anything was held or sent. The agent is not told how much is left.')
}

const approvalView = z.object({
  state: z.string(),
  shown: z.object({
    en: z.object({ title: z.string(), sentences: z.array(z.object({ text: z.string() })) }),
  }),
})

/** An order above the ask-first amount waits for the user, is approved, and goes through when it is repeated. */
export async function tellAskFirst(cast: Cast): Promise<void> {
  const { narrator } = cast
  narrator.step('An order above the ask-first amount waits for a yes')
  const args = await priced(cast, 'beans-250g', 1)
  narrator.say(`One bag of beans costs ${yuan(args.total_amount)}: above CN¥50 the user wants to be asked.`)
  const asked = { skill: COFFEE, action: 'order_and_pay', args, key: 'demo-one-bag-of-beans' }
  const waiting = await ask(cast, asked)
  narrator.answer(waiting)
  const { approvalId, status } = readAs(waiting, 202, pending)
  mustHold(status === 'approval_required' && approvalId !== undefined, 'nobody was asked')
  mustHold((await tellMoney(cast, COFFEE)).heldMinor === 0, 'money was held while a person thinks')

  const own = await cast.agent.post(`/v1/approvals/${approvalId}/approve`, {})
  narrator.say('The agent tries to approve its own request:')
  narrator.answer(own)
  mustHold(own.status === 403, 'an agent approved its own request')

  const view = readAs(await cast.user.get(`/v1/approvals/${approvalId}`), 200, approvalView)
  narrator.say('The user is shown exactly what would happen:')
  narrator.shown(view.shown.en.title)
  for (const { text } of view.shown.en.sentences.slice(0, 4)) narrator.shown(`· ${text}`)
  const yes = await cast.user.post(`/v1/approvals/${approvalId}/approve`, {})
  narrator.answer(yes)
  readAs(yes, 200, z.object({}))

  narrator.say('The agent repeats the same call with the same key:')
  const answer = await ask(cast, asked)
  narrator.answer(answer)
  const done = readAs(answer, 200, outcome)
  mustHold(done.status === 'succeeded', `the approved order ended as ${done.status}`)
  mustHold((await tellMoney(cast, COFFEE)).spentMinor === 12_180, 'the approved order was not captured')
  const after = readAs(await cast.user.get(`/v1/approvals/${approvalId}`), 200, approvalView)
  mustHold(after.state === 'used', `the approval is ${after.state} after it was used`)
  narrator.done('One yes, one order: the approval is used up.')
}

/** Asks for a price and returns the arguments of an order at that price. */
async function priced(
  cast: Cast,
  sku: string,
  quantity: number,
): Promise<JsonObject & { total_amount: number }> {
  const basket = { store_id: 'HZ-01', items: [{ sku, quantity }], currency: 'CNY' }
  const answer = await ask(cast, { skill: COFFEE, action: 'quote', args: basket })
  const { result } = readAs(answer, 200, quoteResult)
  return {
    quote_id: result.quote_id,
    store_id: 'HZ-01',
    currency: 'CNY',
    pickup: 'store',
    total_amount: result.total_amount,
  }
}
