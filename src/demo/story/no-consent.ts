import { expectProblem } from '../api-client.ts'
import { mustHold } from '../story-failed.ts'
import { ask, type Cast, tellMoney } from './cast.ts'

/** An action without consent is refused. */
export async function tellNoConsent(cast: Cast): Promise<void> {
  const { narrator } = cast
  narrator.step('An action without consent is refused')
  narrator.say('The agent orders two lattes without having asked anybody.')
  const args = {
    quote_id: 'q_none',
    store_id: 'HZ-01',
    currency: 'CNY',
    pickup: 'store',
    total_amount: 3_380,
  }
  const answer = await ask(cast, { skill: 'coffee.order', action: 'order_and_pay', args })
  narrator.answer(answer)
  expectProblem(answer, 403, 'consent_required')
  const { heldMinor, spentMinor } = await tellMoney(cast, 'coffee.order')
  mustHold(heldMinor === 0 && spentMinor === 0, 'something was held or spent without consent')
  mustHold(cast.coffeeCalls() === 0, 'the coffee chain was called without consent')
  narrator.done('Nothing was sent to the coffee chain, and the refusal is in the log.')
}
