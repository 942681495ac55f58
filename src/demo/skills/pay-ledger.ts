import { z } from 'zod'
import { COFFEE_PAYEE } from './coffee.ts'

/** What every account holds when the sample first hears of it, in fen. */
const OPENING_MINOR = 500_000

export interface Payee {
  readonly payeeId: string
  readonly displayName: string
  readonly accountMasked: string
}

/** Everybody's address book to begin with. */
const FIRST_PAYEES: readonly Payee[] = [
  { payeeId: 'lin', displayName: 'Lin Yue', accountMasked: '**** 4471' },
  { payeeId: 'mei', displayName: 'Chen Mei', accountMasked: '**** 0912' },
]

/** Shops and billers everybody can pay. */
const MERCHANTS = new Set([COFFEE_PAYEE, 'city-power', 'city-water'])

const whose = { userId: z.string(), account: z.string() }
const moved = z.object({
  type: z.literal('moved'),
  ...whose,
  transactionId: z.string(),
  direction: z.enum(['in', 'out']),
  amountMinor: z.int(),
  counterparty: z.string(),
  memo: z.string().nullable(),
  /** The order's execution or the refunded transaction, which must not be paid twice. */
  settles: z.string().nullable(),
  atMs: z.number(),
})
const payeeAdded = z.object({
  type: z.literal('payee_added'),
  userId: z.string(),
  payeeId: z.string(),
  displayName: z.string(),
  accountMasked: z.string(),
})
const payeeRemoved = z.object({ type: z.literal('payee_removed'), userId: z.string(), payeeId: z.string() })
const scheduled = z.object({
  type: z.literal('scheduled'),
  ...whose,
  executionId: z.string(),
  scheduleId: z.string(),
  payeeId: z.string(),
  amountMinor: z.int(),
  interval: z.enum(['week', 'month']),
  count: z.int(),
  /** Midnight UTC of the first day. */
  firstAtMs: z.number(),
})
const scheduleCancelled = z.object({
  type: z.literal('schedule_cancelled'),
  userId: z.string(),
  executionId: z.string(),
  /** Transfers made until then; those are not called back. */
  made: z.int(),
})

export const payEvent = z.discriminatedUnion('type', [
  moved,
  payeeAdded,
  payeeRemoved,
  scheduled,
  scheduleCancelled,
])
export type PayEvent = z.infer<typeof payEvent>
export type Movement = z.infer<typeof moved>
export type Schedule = z.infer<typeof scheduled> & { cancelledAfter: number | null }

export interface PayState {
  /** By user and account. */
  readonly movements: Map<string, Movement[]>
  /** By user. */
  readonly payees: Map<string, Map<string, Payee>>
  /** By user and execution id. */
  readonly schedules: Map<string, Schedule>
}

export function newPayState(): PayState {
  return { movements: new Map(), payees: new Map(), schedules: new Map() }
}

export function applyPayEvent(state: PayState, event: PayEvent): void {
  switch (event.type) {
    case 'moved': {
      const key = `${event.userId} ${event.account}`
      state.movements.set(key, [...(state.movements.get(key) ?? []), event])
      return
    }
    case 'payee_added':
      state.payees.set(event.userId, new Map(payeesOf(state, event.userId)).set(event.payeeId, event))
      return
    case 'payee_removed': {
      const payees = new Map(payeesOf(state, event.userId))
      payees.delete(event.payeeId)
      state.payees.set(event.userId, payees)
      return
    }
    case 'scheduled':
      state.schedules.set(`${event.userId} ${event.executionId}`, { ...event, cancelledAfter: null })
      return
    case 'schedule_cancelled': {
      const schedule = state.schedules.get(`${event.userId} ${event.executionId}`)
      if (schedule) schedule.cancelledAfter = event.made
    }
  }
}

export function payeesOf(state: PayState, userId: string): ReadonlyMap<string, Payee> {
  return state.payees.get(userId) ?? new Map(FIRST_PAYEES.map((payee) => [payee.payeeId, payee]))
}

/** Whether this user may pay this name: a saved payee or a known shop. */
export function isPayable(state: PayState, userId: string, payeeId: string): boolean {
  return MERCHANTS.has(payeeId) || payeesOf(state, userId).has(payeeId)
}

/** Newest first. */
export function movementsOf(state: PayState, userId: string, account: string): Movement[] {
  const opening: Movement = {
    type: 'moved',
    userId,
    account,
    transactionId: 'txn_opening',
    direction: 'in',
    amountMinor: OPENING_MINOR,
    counterparty: 'Chen Mei',
    memo: 'Rent share',
    settles: null,
    atMs: Date.UTC(2026, 0, 1),
  }
  return [opening, ...(state.movements.get(`${userId} ${account}`) ?? [])].reverse()
}

/** What is left on an account in fen, with the scheduled transfers made until now taken off. */
export function balanceMinor(state: PayState, userId: string, account: string, nowMs: number): number {
  let balance = 0
  for (const { direction, amountMinor } of movementsOf(state, userId, account)) {
    balance += direction === 'in' ? amountMinor : -amountMinor
  }
  for (const schedule of state.schedules.values()) {
    const isMine = schedule.userId === userId && schedule.account === account
    if (isMine) balance -= schedule.amountMinor * madeUntil(schedule, nowMs)
  }
  return balance
}

/** How many transfers of a schedule have been made by now. */
export function madeUntil(schedule: Schedule, nowMs: number): number {
  if (schedule.cancelledAfter !== null) return schedule.cancelledAfter
  let made = 0
  while (made < schedule.count && dueAtMs(schedule, made) <= nowMs) made += 1
  return made
}

function dueAtMs({ firstAtMs, interval }: Schedule, index: number): number {
  if (interval === 'week') return firstAtMs + index * 7 * 86_400_000
  const first = new Date(firstAtMs)
  const lastDay = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + index + 1, 0)).getUTCDate()
  const day = Math.min(first.getUTCDate(), lastDay)
  return Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + index, day)
}
