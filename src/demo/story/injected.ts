import { z } from 'zod'
import { expectProblem, readAs } from '../api-client.ts'
import { mustHold } from '../story-failed.ts'
import { ask, type Cast, outcome, pending, tellMoney } from './cast.ts'
import { giveBrowseConsent } from './consent.ts'

const opened = outcome.extend({ result: z.object({ tab_id: z.string() }) })
const read = outcome.extend({ result: z.object({ text: z.string() }) })

/** A page gives the agent orders; what it asks for is outside of what the user allowed. */
export async function tellInjected(cast: Cast): Promise<void> {
  const { narrator } = cast
  narrator.step('A web page tries to give the agent orders')
  await cast.connectAnew()
  narrator.say('The agent signs in again. The user moves its grants to the new connection; the old one ends.')
  await giveBrowseConsent(cast)
  const page = { skill: 'web.browse', action: 'open_page', args: { url: 'https://shop.example/reviews' } }
  const tab = readAs(await ask(cast, page), 200, opened).result.tab_id
  const text = await ask(cast, { skill: 'web.browse', action: 'read_page', args: { tab_id: tab } })
  narrator.answer(text)
  const lines = readAs(text, 200, read).result.text.split('\n')
  for (const line of lines.slice(1, 4)) narrator.shown(line)
  mustHold(!lines.join('\n').includes('<tool_call>'), 'a protocol marker reached the model unescaped')

  narrator.say('The agent falls for it and tries to send the money:')
  const args = { payee_id: 'mallory', amount: '90.00', currency: 'CNY' }
  const stolen = await ask(cast, { skill: 'pay.transfer', action: 'transfer', args })
  narrator.answer(stolen)
  expectProblem(stolen, 403, 'constraint_violated')

  narrator.say(
    'Even a payment to Lin is asked about now, because strangers’ words were read in this session:',
  )
  const small = { payee_id: 'lin', amount: '1.00', currency: 'CNY' }
  const asked = await ask(cast, { skill: 'pay.transfer', action: 'transfer', args: small })
  narrator.answer(asked)
  const { status } = readAs(asked, 202, pending)
  mustHold(status === 'approval_required', 'nobody was asked after untrusted text was read')
  mustHold((await tellMoney(cast, 'pay.transfer')).heldMinor === 0, 'the page moved money')
  narrator.done('Whatever a page says, the agent can do no more than the user allowed.')
}
