import type { Effect } from '../manifest/manifest.ts'

/** Amounts in minor units, by currency, up to which a person approves spending without a step-up. */
export type StepUpAbove = Readonly<Record<string, number>>

/** Something only a person may do, with what decides whether it takes a step-up. */
export type PersonAct =
  | { readonly kind: 'give_grant'; readonly effects: readonly Effect[] }
  | {
      readonly kind: 'approve_action'
      /** Null where the action moves no money. */
      readonly amount: { readonly amountMinor: number; readonly currency: string } | null
      readonly stepUpAbove: StepUpAbove
    }
  | { readonly kind: (typeof PLAIN_ACTS)[number] }

/** Acts that take a step-up whatever they are about: they widen, or they change what later checks mean. */
const PLAIN_ACTS = [
  'widen_grant',
  'widen_limit',
  'move_connection',
  'change_recipients',
  'link_account',
  'set_time_zone',
  'export',
  'erase',
  'change_security',
  'operator_write',
] as const

const GRAVE: readonly Effect[] = ['spend', 'authority', 'physical', 'egress']

/** Whether an act takes a passkey used a short while ago. Refusing, pausing, narrowing and revoking never do. */
export function needsStepUp(act: PersonAct): boolean {
  switch (act.kind) {
    case 'give_grant':
      return act.effects.some((effect) => GRAVE.includes(effect))
    case 'approve_action':
      return act.amount !== null && act.amount.amountMinor > thresholdOf(act.stepUpAbove, act.amount.currency)
    default:
      return true
  }
}

function thresholdOf(stepUpAbove: StepUpAbove, currency: string): number {
  return Object.hasOwn(stepUpAbove, currency) ? (stepUpAbove[currency] ?? 0) : 0
}
