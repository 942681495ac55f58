import type { Cast } from './story/cast.ts'
import { tellCoffeeConsent } from './story/consent.ts'
import { tellInDoubt } from './story/in-doubt.ts'
import { tellInjected } from './story/injected.ts'
import { tellNoConsent } from './story/no-consent.ts'
import { tellAskFirst, tellBeyondLimit, tellOrder } from './story/order.ts'
import { tellRevoked } from './story/revoke.ts'
import { tellVerified } from './story/verify.ts'

/**
 * Tells the whole story with real requests. Returns how many leaves the verified log has.
 *
 * @throws StoryFailed at the first step that does not do what the story says.
 */
export async function tellStory(cast: Cast): Promise<number> {
  await tellNoConsent(cast)
  await tellCoffeeConsent(cast)
  const orderId = await tellOrder(cast)
  await tellBeyondLimit(cast)
  await tellAskFirst(cast)
  await tellInDoubt(cast)
  await tellInjected(cast)
  const lastActionId = await tellRevoked(cast)
  return tellVerified(cast, orderId, lastActionId)
}
