import { z } from 'zod'
import type { JsonObject } from '../../core/json-value.ts'
import { type BasketLine, distanceMeters, MENU, priceOf, STORES } from './coffee-menu.ts'
import { shortId } from './short-id.ts'
import { type CallContext, handlersOf, type SkillAnswer, type SkillDefinition } from './skill-definition.ts'

const QUOTE_VALID_MS = 10 * 60_000
const READY_AFTER_MS = 6 * 60_000
const CANCEL_WITHIN_MS = 5 * 60_000

/** The coffee chain's account at the payment service; an order placed unpaid names it. */
export const COFFEE_PAYEE = 'coffee-chain'

const basketLine = z.object({
  sku: z.string(),
  quantity: z.int(),
  options: z.record(z.string(), z.string()).optional(),
})
const quoted = z.object({
  type: z.literal('quoted'),
  quoteId: z.string(),
  userId: z.string(),
  storeId: z.string(),
  items: z.array(basketLine),
  totalMinor: z.int(),
  expiresAtMs: z.number(),
})
const ordered = z.object({
  type: z.literal('ordered'),
  executionId: z.string(),
  userId: z.string(),
  orderId: z.string(),
  quoteId: z.string(),
  /** What was charged at once; null for an order that is paid through another skill. */
  chargedMinor: z.int().nullable(),
  pickupCode: z.string().nullable(),
  placedAtMs: z.number(),
})
const cancelled = z.object({ type: z.literal('cancelled'), userId: z.string(), executionId: z.string() })
const event = z.discriminatedUnion('type', [quoted, ordered, cancelled])

type CoffeeEvent = z.infer<typeof event>
type Quote = z.infer<typeof quoted> & { isUsed: boolean }
type Order = z.infer<typeof ordered> & { isCancelled: boolean }

interface CoffeeState {
  readonly quotes: Map<string, Quote>
  /** By user and execution id. */
  readonly orders: Map<string, Order>
}

const handle = handlersOf<CoffeeState, CoffeeEvent>()

const orderInput = z.object({
  quote_id: z.string(),
  store_id: z.string(),
  currency: z.literal('CNY'),
  pickup: z.enum(['store', 'delivery']),
  total_amount: z.int(),
})

/** A coffee chain: stores, a menu, quotes that hold for ten minutes, orders paid here or through another skill. */
export const coffeeSkill: SkillDefinition<CoffeeState, CoffeeEvent> = {
  skill: 'coffee.order',
  event,
  newState: () => ({ quotes: new Map(), orders: new Map() }),
  apply(state, change) {
    if (change.type === 'quoted') state.quotes.set(change.quoteId, { ...change, isUsed: false })
    if (change.type === 'ordered') {
      state.orders.set(`${change.userId} ${change.executionId}`, { ...change, isCancelled: false })
      const quote = state.quotes.get(change.quoteId)
      if (quote) quote.isUsed = true
    }
    if (change.type === 'cancelled') {
      const order = state.orders.get(`${change.userId} ${change.executionId}`)
      if (order) order.isCancelled = true
    }
  },
  handlers: {
    search_stores: handle(
      z.object({ lat_e3: z.int(), lng_e3: z.int(), radius_m: z.int() }),
      ({ lat_e3, lng_e3, radius_m }) => {
        const stores = STORES.map((store) => ({ store, meters: distanceMeters(store, lat_e3, lng_e3) }))
          .filter(({ meters }) => meters <= radius_m)
          .sort((a, b) => a.meters - b.meters)
          .map(({ store, meters }) => ({
            store_id: store.storeId,
            name: store.name,
            distance_m: meters,
            is_open: store.isOpen,
          }))
        return { kind: 'done', result: { stores } }
      },
    ),

    get_menu: handle(z.object({ store_id: z.string() }), ({ store_id }) => {
      if (!STORES.some((store) => store.storeId === store_id)) return { kind: 'missing' }
      const items = MENU.map(({ sku, name, unitPriceMinor, choices }) => ({
        sku,
        name,
        unit_price: unitPriceMinor,
        choices: [...choices],
      }))
      return { kind: 'done', result: { currency: 'CNY', items } }
    }),

    quote: handle(
      z.object({ store_id: z.string(), items: z.array(basketLine) }),
      ({ store_id, items }, _state, { call, nowMs }) => {
        const totalMinor = priceOf(items)
        const store = STORES.find((candidate) => candidate.storeId === store_id)
        if (!store?.isOpen || totalMinor === undefined) return { kind: 'missing' }
        const quote = {
          type: 'quoted',
          quoteId: shortId('q', call.brokerKey),
          userId: call.userId,
          storeId: store_id,
          items,
          totalMinor,
          expiresAtMs: nowMs + QUOTE_VALID_MS,
        } as const
        const result = {
          quote_id: quote.quoteId,
          total_amount: totalMinor,
          currency: 'CNY',
          expires_at: new Date(quote.expiresAtMs).toISOString(),
        }
        return { kind: 'done', result, events: [quote] }
      },
    ),

    get_quote: handle(z.object({ quote_id: z.string() }), ({ quote_id }, state, { call }) => {
      const quote = state.quotes.get(quote_id)
      if (quote?.userId !== call.userId) return { kind: 'missing' }
      const result = {
        store_id: quote.storeId,
        items: quote.items.map(basketJson),
        total_amount: quote.totalMinor,
        currency: 'CNY',
      }
      return { kind: 'done', result }
    }),

    place_order: handle(orderInput, (input, state, context) => {
      const refusal = quoteFault(state, input, context)
      if (refusal) return { kind: 'refused', code: refusal }
      const order = newOrder(input, context, null)
      const result = {
        order_id: order.orderId,
        payee_id: COFFEE_PAYEE,
        amount_due: input.total_amount,
        currency: 'CNY',
      }
      return { kind: 'done', result, events: [order] }
    }),

    order_and_pay: handle(orderInput, (input, state, context) => {
      const refusal = quoteFault(state, input, context)
      if (refusal) return { kind: 'refused', code: refusal }
      const chargedMinor = input.total_amount + context.overchargeMinor
      const order = newOrder(input, context, chargedMinor)
      const result = {
        order_id: order.orderId,
        ...(order.pickupCode === null ? {} : { pickup_code: order.pickupCode }),
        ready_at: new Date(order.placedAtMs + READY_AFTER_MS).toISOString(),
        charged_amount: chargedMinor,
        currency: 'CNY',
      }
      return {
        kind: 'done',
        result,
        events: [order],
        taken: { amountMinor: chargedMinor, currency: 'CNY' },
      }
    }),

    get_order: handle(z.object({ execution_id: z.string() }), ({ execution_id }, state, context) => {
      const order = state.orders.get(`${context.call.userId} ${execution_id}`)
      if (!order) {
        const isRefused = context.findExecution(execution_id)?.status === 'refused'
        const result = { state: isRefused ? 'refused' : 'not_found' }
        return { kind: 'status', executionId: execution_id, result }
      }
      const result = {
        state: stateOf(order, context.nowMs),
        order_id: order.orderId,
        ...(order.pickupCode === null ? {} : { pickup_code: order.pickupCode }),
        ready_at: new Date(order.placedAtMs + READY_AFTER_MS).toISOString(),
      }
      // What a cancelled order had charged was given back, so nothing was taken in the end.
      const takenMinor = order.isCancelled ? 0 : order.chargedMinor
      const taken = takenMinor === null ? {} : { taken: { amountMinor: takenMinor, currency: 'CNY' } }
      return { kind: 'status', executionId: execution_id, result, ...taken }
    }),

    cancel_order: handle(z.object({ execution_id: z.string() }), cancelOrder),
  },
}

function cancelOrder(
  { execution_id: executionId }: { execution_id: string },
  state: CoffeeState,
  { call, nowMs }: CallContext,
): SkillAnswer<CoffeeEvent> {
  const order = state.orders.get(`${call.userId} ${executionId}`)
  // An order that is still under way must not be placed after this answer.
  if (!order) return { kind: 'done', result: { state: 'not_found' }, closes: executionId }
  if (order.isCancelled) return { kind: 'done', result: { state: 'cancelled' } }
  if (nowMs - order.placedAtMs > CANCEL_WITHIN_MS) return { kind: 'done', result: { state: 'too_late' } }
  return {
    kind: 'done',
    result: { state: 'cancelled' },
    events: [{ type: 'cancelled', userId: call.userId, executionId }],
  }
}

/** Why this quote cannot be ordered as asked; the price a person agreed to is the price of the quote. */
function quoteFault(
  state: CoffeeState,
  input: z.infer<typeof orderInput>,
  { call, nowMs }: CallContext,
): string | undefined {
  const quote = state.quotes.get(input.quote_id)
  if (quote?.userId !== call.userId || quote.storeId !== input.store_id) return 'quote_unknown'
  if (quote.isUsed) return 'quote_used'
  if (quote.expiresAtMs <= nowMs) return 'quote_expired'
  if (quote.totalMinor !== input.total_amount) return 'price_changed'
  return undefined
}

function newOrder(
  input: z.infer<typeof orderInput>,
  { call, nowMs }: CallContext,
  chargedMinor: number | null,
): z.infer<typeof ordered> {
  const orderId = shortId('ord', call.brokerKey)
  return {
    type: 'ordered',
    executionId: call.executionId,
    userId: call.userId,
    orderId,
    quoteId: input.quote_id,
    chargedMinor,
    pickupCode: input.pickup === 'store' ? orderId.slice(-4).toUpperCase() : null,
    placedAtMs: nowMs,
  }
}

function stateOf(order: Order, nowMs: number): string {
  if (order.isCancelled) return 'cancelled'
  if (order.chargedMinor === null) return 'placed'
  return nowMs >= order.placedAtMs + READY_AFTER_MS ? 'ready' : 'preparing'
}

function basketJson({ sku, quantity, options }: BasketLine): JsonObject {
  return { sku, quantity, ...(options === undefined ? {} : { options: { ...options } }) }
}
