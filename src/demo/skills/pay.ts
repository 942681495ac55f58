import { z } from 'zod'
import { fromDecimalString, toDecimalString } from '../../core/money.ts'
import {
  applyPayEvent,
  balanceMinor,
  isPayable,
  type Movement,
  madeUntil,
  movementsOf,
  newPayState,
  type PayEvent,
  type PayState,
  payEvent,
  payeesOf,
} from './pay-ledger.ts'
import { shortId } from './short-id.ts'
import { type CallContext, handlersOf, type SkillAnswer, type SkillDefinition } from './skill-definition.ts'

const handle = handlersOf<PayState, PayEvent>()
const CURRENCY = 'CNY'

const money = { amount: z.string(), currency: z.literal(CURRENCY), from_account: z.string() }

/** A payment service: an account with play money, payees, transfers, orders, bills, schedules and refunds. */
export const paySkill: SkillDefinition<PayState, PayEvent> = {
  skill: 'pay.transfer',
  event: payEvent,
  newState: newPayState,
  apply: applyPayEvent,
  keeps: {
    classes: ['schedules'],
    code: 'bookkeeping_law',
    why: 'Scheduled transfers are part of the books, which have to be kept.',
  },
  handlers: {
    get_balance: handle(z.object({ from_account: z.string() }), ({ from_account }, state, context) => {
      const balance = balanceMinor(state, context.call.userId, from_account, context.nowMs)
      return { kind: 'done', result: { balance: decimal(balance), currency: CURRENCY } }
    }),

    list_transactions: handle(
      z.object({ from_account: z.string(), limit: z.int() }),
      ({ from_account, limit }, state, { call }) => {
        const transactions = movementsOf(state, call.userId, from_account).slice(0, limit).map(movementJson)
        return { kind: 'done', result: { transactions } }
      },
    ),

    list_payees: handle(z.object({}), (_input, state, { call }) => {
      const payees = [...payeesOf(state, call.userId).values()].map((payee) => ({
        payee_id: payee.payeeId,
        display_name: payee.displayName,
        account_masked: payee.accountMasked,
      }))
      return { kind: 'done', result: { payees } }
    }),

    add_payee: handle(
      z.object({ display_name: z.string(), account_number: z.string() }),
      ({ display_name, account_number }, _state, { call }) => {
        const payeeId = shortId('payee', call.brokerKey)
        const accountMasked = `**** ${account_number.slice(-4)}`
        const payee = { payeeId, displayName: display_name, accountMasked }
        const events = [{ type: 'payee_added', userId: call.userId, ...payee } as const]
        return { kind: 'done', result: { payee_id: payeeId }, events }
      },
    ),

    remove_payee: handle(z.object({ payee_id: z.string() }), ({ payee_id }, state, { call }) => {
      if (!payeesOf(state, call.userId).has(payee_id)) return { kind: 'done', result: { state: 'not_found' } }
      const events = [{ type: 'payee_removed', userId: call.userId, payeeId: payee_id } as const]
      return { kind: 'done', result: { state: 'removed' }, events }
    }),

    transfer: handle(
      z.object({ ...money, payee_id: z.string(), memo: z.string().optional() }),
      (input, state, context) =>
        pay(state, context, input, { to: input.payee_id, memo: input.memo ?? null, settles: null }),
    ),

    pay_order: handle(
      z.object({ ...money, order_execution_id: z.string(), payee_id: z.string() }),
      (input, state, context) =>
        pay(state, context, input, { to: input.payee_id, memo: null, settles: input.order_execution_id }),
    ),

    pay_bill: handle(
      z.object({ ...money, biller_id: z.string(), bill_ref: z.string() }),
      (input, state, context) =>
        pay(state, context, input, {
          to: input.biller_id,
          memo: input.bill_ref,
          settles: `${input.biller_id} ${input.bill_ref}`,
        }),
    ),

    refund: handle(z.object({ ...money, transaction_id: z.string() }), (input, state, context) => {
      const received = movementsOf(state, context.call.userId, input.from_account).find(
        ({ transactionId, direction }) => transactionId === input.transaction_id && direction === 'in',
      )
      if (!received) return { kind: 'refused', code: 'transaction_unknown' }
      if (amountMinorOf(input.amount) > received.amountMinor)
        return { kind: 'refused', code: 'amount_too_large' }
      // One refund for one payment: parts would have to be summed up, which this sample leaves out.
      const settles = `refund ${input.transaction_id}`
      return pay(state, context, input, { to: null, memo: received.counterparty, settles })
    }),

    schedule_transfer: handle(
      z.object({
        ...money,
        payee_id: z.string(),
        interval: z.enum(['week', 'month']),
        count: z.int(),
        first_on: z.string(),
      }),
      (input, state, { call, nowMs }) => {
        if (!isPayable(state, call.userId, input.payee_id)) return { kind: 'refused', code: 'payee_unknown' }
        const firstAtMs = Date.parse(`${input.first_on}T00:00:00Z`)
        if (!(firstAtMs > nowMs)) return { kind: 'refused', code: 'first_day_has_passed' }
        const scheduleId = shortId('sch', call.brokerKey)
        const schedule = {
          type: 'scheduled',
          userId: call.userId,
          account: input.from_account,
          executionId: call.executionId,
          scheduleId,
          payeeId: input.payee_id,
          amountMinor: amountMinorOf(input.amount),
          interval: input.interval,
          count: input.count,
          firstAtMs,
        } as const
        return { kind: 'done', result: { schedule_id: scheduleId }, events: [schedule] }
      },
    ),

    cancel_schedule: handle(z.object({ execution_id: z.string() }), (input, state, { call, nowMs }) => {
      const { execution_id: executionId } = input
      const schedule = state.schedules.get(`${call.userId} ${executionId}`)
      // A schedule that is still under way must not begin after this answer.
      if (!schedule) return { kind: 'done', result: { state: 'not_found', made: 0 }, closes: executionId }
      const made = madeUntil(schedule, nowMs)
      if (made === schedule.count) return { kind: 'done', result: { state: 'already_finished', made } }
      const events = [{ type: 'schedule_cancelled', userId: call.userId, executionId, made } as const]
      return { kind: 'done', result: { state: 'cancelled', made }, events }
    }),

    get_payment: handle(z.object({ execution_id: z.string() }), ({ execution_id }, state, context) => {
      const earlier = context.findExecution(execution_id)
      const outcome = earlier && earlier.status !== 'closed' ? earlier.status : 'not_found'
      const payment = transactionOf(state, context.call.userId, earlier?.brokerKey)
      const result = {
        state: context.isUndecided ? 'pending' : outcome,
        ...(payment && !context.isUndecided ? { transaction_id: payment.transactionId } : {}),
      }
      return { kind: 'status', executionId: execution_id, result }
    }),
  },
}

interface Payment {
  /** Null gives money back to whoever sent it. */
  readonly to: string | null
  readonly memo: string | null
  readonly settles: string | null
}

function pay(
  state: PayState,
  { call, nowMs, overchargeMinor }: CallContext,
  input: { amount: string; from_account: string },
  { to, memo, settles }: Payment,
): SkillAnswer<PayEvent> {
  const { userId } = call
  const amountMinor = amountMinorOf(input.amount) + overchargeMinor
  const earlier = movementsOf(state, userId, input.from_account)
  if (to !== null && !isPayable(state, userId, to)) return { kind: 'refused', code: 'payee_unknown' }
  if (amountMinor <= 0) return { kind: 'refused', code: 'amount_zero' }
  if (settles !== null && earlier.some((movement) => movement.settles === settles))
    return { kind: 'refused', code: 'already_paid' }
  if (amountMinor > balanceMinor(state, userId, input.from_account, nowMs))
    return { kind: 'refused', code: 'insufficient_funds' }

  const movement: Movement = {
    type: 'moved',
    userId,
    account: input.from_account,
    transactionId: shortId('txn', call.brokerKey),
    direction: 'out',
    amountMinor,
    counterparty: to ?? memo ?? 'refund',
    memo: to === null ? null : memo,
    settles,
    atMs: nowMs,
  }
  const result = {
    transaction_id: movement.transactionId,
    charged_amount: decimal(amountMinor),
    currency: CURRENCY,
  }
  return { kind: 'done', result, events: [movement], taken: { amountMinor, currency: CURRENCY } }
}

function transactionOf(state: PayState, userId: string, brokerKey: string | undefined): Movement | undefined {
  if (brokerKey === undefined) return undefined
  const transactionId = shortId('txn', brokerKey)
  return [...state.movements.values()]
    .flat()
    .find((movement) => movement.userId === userId && movement.transactionId === transactionId)
}

function movementJson(movement: Movement) {
  return {
    transaction_id: movement.transactionId,
    booked_at: new Date(movement.atMs).toISOString(),
    direction: movement.direction,
    amount: decimal(movement.amountMinor),
    currency: CURRENCY,
    counterparty: movement.counterparty,
    ...(movement.memo === null ? {} : { memo: movement.memo }),
  }
}

function decimal(amountMinor: number): string {
  return toDecimalString(Math.max(0, amountMinor), CURRENCY)
}

/** The manifest's schema has checked the text, so anything unreadable is a defect. */
function amountMinorOf(text: string): number {
  const parsed = fromDecimalString(text, CURRENCY)
  if (!parsed.ok) throw new RangeError(`not an amount: ${parsed.code}`)
  return parsed.amountMinor
}
