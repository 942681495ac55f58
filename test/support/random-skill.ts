import type { SkillCall, SkillReply } from '../../src/ports/skill-caller.ts'
import { answered, broken, notSent } from './fake-skill.ts'
import type { Random } from './random.ts'
import { claimsOf, type SkillKey } from './skill-key.ts'

const MONTH_MS = 30 * 86_400_000

/** Everything a skill may come back with. */
export function actionReply(random: Random, call: SkillCall): SkillReply {
  const { act, amt = 0 } = claimsOf(call)
  const odd = random.between(0, 19)
  if (odd === 0) return notSent()
  if (odd === 1) return broken(random.pick(['timed_out', 'cut', 'oversize', 'redirect', 'protocol_error']))
  if (odd === 2) return answered({}, 202)
  if (odd === 3) return answered({ code: 'sold_out' }, 409)
  if (odd === 4) return answered({ oops: true }, random.pick([200, 404, 500]))
  if (act === 'get_menu') return answered({ currency: 'CNY', items: [] })
  if (act === 'get_quote') {
    return answered({
      store_id: 'LK-1',
      items: [{ sku: 'latte', quantity: 1 }],
      total_amount: 1,
      currency: 'CNY',
    })
  }
  const charged = random.chance(0.03) ? amt + 10 : random.chance(0.3) ? random.between(0, amt) : amt
  return answered({ order_id: 'O-1', charged_amount: charged, currency: 'CNY' })
}

/** What a skill may say when it is asked how an earlier call stands, the truth not among its rules. */
export function statusReply(
  random: Random,
  key: SkillKey,
  call: SkillCall,
  sent: readonly SkillCall[],
  nowMs: number,
): SkillReply {
  const about = sent.find((earlier) => claimsOf(earlier).exe === claimsOf(call).exe)
  if (!about || random.chance(0.2)) return broken('timed_out')
  const kind = random.pick(['succeeded', 'refused', 'not_found', 'pending', 'another', 'old'] as const)
  const reserved = claimsOf(about).amt ?? 0
  const most = random.chance(0.1) ? reserved + 50 : reserved
  const taken = { amountMinor: random.between(0, most), currency: 'CNY' }
  const receipt =
    kind === 'another'
      ? key.receipt(about, { status: 'not_found' }, nowMs, { executionId: 'act_another' })
      : kind === 'old'
        ? key.receipt(about, { status: 'not_found' }, nowMs - MONTH_MS)
        : key.receipt(about, kind === 'succeeded' ? { status: kind, taken } : { status: kind }, nowMs)
  return answered({ state: 'placed', receipt })
}
