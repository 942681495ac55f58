import { setTimeout as sleep } from 'node:timers/promises'
import { expectProblem, readAs } from '../api-client.ts'
import { mustHold, StoryFailed } from '../story-failed.ts'
import { ask, type Cast, outcome, pending, tellMoney } from './cast.ts'
import { givePayConsent } from './consent.ts'

const PAY = 'pay.transfer'
const SETTLED_WITHIN_MS = 20_000

const transfer = (amount: string) => ({
  skill: PAY,
  action: 'transfer',
  args: { payee_id: 'lin', amount, currency: 'CNY' },
})

/** A skill dies in the middle; the money stays held as in doubt until the skill's signed word settles it. */
export async function tellInDoubt(cast: Cast): Promise<void> {
  const { narrator } = cast
  narrator.step('A skill dies in the middle, and the money stays held')
  await givePayConsent(cast)
  await cast.pay.current().set({ dieOn: { action: 'transfer', how: 'process', when: 'after' } })
  narrator.say(
    'The agent sends Lin CN¥80.00. The payment service makes the transfer and is killed before it can answer.',
  )
  const dying = cast.pay.current()
  const answer = await ask(cast, transfer('80.00'))
  const signal = await dying.ended()
  narrator.answer(answer)
  narrator.say(`Process ${dying.pid} of the payment service ended by ${signal}.`)
  mustHold(signal === 'SIGKILL', 'the payment service was not killed')
  const { status, actionId } = readAs(answer, 202, pending)
  mustHold(status === 'in_doubt', `the transfer is ${status}, not in doubt`)
  mustHold((await tellMoney(cast, PAY)).heldMinor === 8_000, 'the money in doubt is not held')

  narrator.say('What is in doubt keeps counting: CN¥150.00 more could pass CN¥200, so it is refused.')
  const second = await ask(cast, transfer('150.00'))
  narrator.answer(second)
  expectProblem(second, 403, 'budget_exceeded')

  narrator.say('The payment service comes back, and the broker asks it what became of the transfer.')
  await cast.pay.restart()
  const settled = await untilSettled(cast, actionId)
  mustHold(settled.status === 'succeeded', `the transfer was settled as ${settled.status}`)
  const { heldMinor, spentMinor } = await tellMoney(cast, PAY)
  mustHold(heldMinor === 0 && spentMinor === 8_000, 'the receipt did not settle what was held')
  narrator.done('Settled by the skill’s signed status, not by a guess and not by a timer.')
}

async function untilSettled(cast: Cast, actionId: string) {
  const deadline = Date.now() + SETTLED_WITHIN_MS
  while (Date.now() < deadline) {
    const answer = await cast.agent.get(`/v1/actions/${actionId}`)
    const action = readAs(answer, 200, outcome)
    if (action.status !== 'in_doubt') {
      cast.narrator.answer(answer)
      return action
    }
    await sleep(200)
  }
  throw new StoryFailed('the transfer stayed in doubt although the payment service was back')
}
