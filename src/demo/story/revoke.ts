import { z } from 'zod'
import { expectProblem, readAs } from '../api-client.ts'
import { mustHold } from '../story-failed.ts'
import { ask, type Cast } from './cast.ts'

const revoked = z.object({
  revocation: z.object({
    grants: z.array(z.string()),
    approvals: z.array(z.string()),
    unsettled: z.array(z.unknown()),
  }),
})

/** Consent is taken back, and the next action is refused. Returns that refusal's action. */
export async function tellRevoked(cast: Cast): Promise<string> {
  const { narrator } = cast
  narrator.step('Consent is taken back, and the next action is refused')
  narrator.say('The user takes everything back at once.')
  const answer = await cast.user.post('/v1/revocations', { scope: { kind: 'everything' } })
  narrator.answer(answer)
  const { grants, approvals, unsettled } = readAs(answer, 200, revoked).revocation
  mustHold(grants.length === 3, `${grants.length} grants were revoked, not three`)
  narrator.say(
    `Ended: ${grants.length} grants and ${approvals.length} open question. Still in flight: ${unsettled.length}.`,
  )
  narrator.say('The agent, whose token is as good as before, asks for a price:')
  const args = { store_id: 'HZ-01', items: [{ sku: 'latte', quantity: 1 }], currency: 'CNY' }
  const refused = await ask(cast, { skill: 'coffee.order', action: 'quote', args })
  narrator.answer(refused)
  expectProblem(refused, 403, 'consent_required')
  narrator.done('Authority lives in the broker, so it ended with the answer above, whatever tokens are out.')
  return readAs(refused, 403, z.object({ actionId: z.string() })).actionId
}
