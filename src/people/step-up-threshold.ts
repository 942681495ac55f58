import { recoveredRecently } from '../broker/recovered-recently.ts'
import { stepUpAboveOf } from '../broker/step-up-facts.ts'
import { isCurrency } from '../core/currency.ts'
import type { StepUpAbove } from '../core/people/step-up-policy.ts'
import type { PeopleDeps } from './people-deps.ts'
import { personLeaf, personSealer } from './person-leaf.ts'

/** Currencies one person can have a threshold in. */
const CURRENCIES_MOST = 20

/** Up to which amounts this user approves without a step-up. */
export function listThresholds({ broker }: Pick<PeopleDeps, 'broker'>, userId: string): Promise<StepUpAbove> {
  return broker.store.read((tx) => stepUpAboveOf(tx, userId))
}

export type ThresholdSet = {
  readonly kind: 'set' | 'invalid' | 'too_many' | 'not_found' | 'recovered_recently'
}

/**
 * Sets up to which amount approving takes no step-up; 0 takes it away. Whether the person stepped up for this is the
 * caller's check. Within a day of a recovery it is not raised.
 */
export async function setThreshold(
  { broker }: Pick<PeopleDeps, 'broker'>,
  input: { userId: string; currency: string; amountMinor: number },
): Promise<ThresholdSet> {
  const { userId, currency, amountMinor } = input
  if (!isCurrency(currency) || !Number.isSafeInteger(amountMinor) || amountMinor < 0)
    return { kind: 'invalid' }
  const who = { kind: 'user', id: userId } as const
  const seal = await personSealer(broker, who)
  return broker.store.transaction<ThresholdSet>(async (tx) => {
    if (!(await tx.people.find(who))) return { kind: 'not_found' }
    const { [currency]: before = 0, ...others } = await stepUpAboveOf(tx, userId)
    if (amountMinor > before && (await recoveredRecently(tx, userId))) return { kind: 'recovered_recently' }
    const after = amountMinor === 0 ? others : { ...others, [currency]: amountMinor }
    if (Object.keys(after).length > CURRENCIES_MOST) return { kind: 'too_many' }
    await tx.people.setStepUpAbove(who, JSON.stringify(after))
    const leaf = personLeaf(who, 'threshold_set', { body: { currency, amountMinor, before } })
    await tx.log.append(seal(leaf, tx.nowMs), tx.nowMs)
    return { kind: 'set' }
  })
}
