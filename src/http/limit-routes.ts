import { z } from 'zod'
import type { Broker } from '../broker/broker.ts'
import { listBudgets } from '../broker/list-budgets.ts'
import {
  listRecipients,
  removeRecipient,
  saveRecipient,
  saveRecipientShape,
} from '../broker/save-recipient.ts'
import { removeBudget, setBudget, setBudgetShape } from '../broker/set-budget.ts'
import { setTimeZone, setTimeZoneShape, showTimeZone } from '../broker/set-time-zone.ts'
import type { SavedRecipientRow } from '../ports/rows.ts'
import { budgetUsageShape } from './consent-shapes.ts'
import { pathId, timeMs } from './path-id.ts'
import { problem } from './problem.ts'
import { type Route, route } from './route.ts'

const recipientShape = z.strictObject({
  recipientId: z.string(),
  label: z.string(),
  value: z.string(),
  createdAtMs: timeMs,
})
const budgetShape = budgetUsageShape.extend({
  budgetId: z.string(),
  scopeId: z.string(),
  createdAtMs: timeMs,
})
const meShape = z.strictObject({ userId: z.string(), timeZone: z.string() })

/** What a user sets for everything they allow: budgets, saved recipients, time zone. */
export function limitRoutes(broker: Broker): Route[] {
  return [...budgetRoutes(broker), ...recipientRoutes(broker), ...meRoutes(broker)]
}

function budgetRoutes(broker: Broker): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/budgets',
      callers: ['user'],
      tag: 'Limits',
      summary: 'List budgets with what is used of each',
      responses: {
        200: { description: 'All budgets.', shape: z.strictObject({ items: z.array(budgetShape) }) },
      },
      problems: [],
      async handle({ caller }) {
        return { status: 200, body: { items: await listBudgets(broker, { userId: caller.userId }) } }
      },
    }),
    route({
      method: 'post',
      path: '/v1/budgets',
      callers: ['user'],
      tag: 'Limits',
      summary: 'Set a budget, in place of the one for the same window',
      needsStepUp: () => true,
      description: 'Raised or lowered, the window and what is used in it go on.',
      body: setBudgetShape,
      responses: {
        201: {
          description: 'The budget.',
          shape: z.strictObject({ budgetId: z.string(), replaced: z.string().nullable() }),
        },
      },
      problems: ['not_found', 'too_many_budgets', 'recovered_recently'],
      async handle({ caller, body }) {
        const set = await setBudget(broker, { ...body, userId: caller.userId })
        if (set.kind !== 'set') return problem(set.kind)
        return { status: 201, body: { budgetId: set.budget.id, replaced: set.replaced } }
      },
    }),
    route({
      method: 'delete',
      path: '/v1/budgets/{id}',
      callers: ['user'],
      tag: 'Limits',
      summary: 'Remove a budget',
      needsStepUp: () => true,
      params: pathId,
      responses: { 204: { description: 'It limits nothing any more.' } },
      problems: ['not_found', 'recovered_recently'],
      async handle({ caller, params }) {
        const removed = await removeBudget(broker, { userId: caller.userId, budgetId: params.id })
        return removed.kind === 'removed' ? { status: 204 } : problem(removed.kind)
      },
    }),
  ]
}

function recipientRoutes(broker: Broker): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/recipients',
      callers: ['user'],
      tag: 'Limits',
      summary: 'List saved recipients',
      responses: {
        200: { description: 'All recipients.', shape: z.strictObject({ items: z.array(recipientShape) }) },
      },
      problems: [],
      async handle({ caller }) {
        const rows = await listRecipients(broker, { userId: caller.userId })
        return { status: 200, body: { items: rows.map(presentRecipient) } }
      },
    }),
    route({
      method: 'post',
      path: '/v1/recipients',
      callers: ['user'],
      tag: 'Limits',
      summary: 'Save a recipient that grants may be limited to',
      needsStepUp: () => true,
      body: saveRecipientShape,
      responses: { 201: { description: 'The recipient.', shape: recipientShape } },
      problems: ['already_saved', 'too_many_recipients', 'recovered_recently'],
      async handle({ caller, body }) {
        const saved = await saveRecipient(broker, { ...body, userId: caller.userId })
        return saved.kind === 'saved'
          ? { status: 201, body: presentRecipient(saved.recipient) }
          : problem(saved.kind)
      },
    }),
    route({
      method: 'delete',
      path: '/v1/recipients/{id}',
      callers: ['user'],
      tag: 'Limits',
      summary: 'Forget a recipient',
      needsStepUp: () => true,
      params: pathId,
      responses: { 204: { description: 'Grants limited to saved recipients no longer reach it.' } },
      problems: ['not_found'],
      async handle({ caller, params }) {
        const removed = await removeRecipient(broker, { userId: caller.userId, recipientId: params.id })
        return removed.kind === 'removed' ? { status: 204 } : problem('not_found')
      },
    }),
  ]
}

function meRoutes(broker: Broker): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/me',
      callers: ['user'],
      tag: 'Limits',
      summary: 'Show who is signed in',
      responses: { 200: { description: 'The user.', shape: meShape } },
      problems: [],
      async handle({ caller: { userId } }) {
        return { status: 200, body: { userId, ...(await showTimeZone(broker, { userId })) } }
      },
    }),
    route({
      method: 'put',
      path: '/v1/me/time-zone',
      callers: ['user'],
      tag: 'Limits',
      summary: 'Set the zone in which days, weeks and months begin',
      needsStepUp: () => true,
      body: setTimeZoneShape,
      responses: { 200: { description: 'The user.', shape: meShape } },
      problems: [],
      async handle({ caller: { userId }, body }) {
        const { timeZone } = await setTimeZone(broker, { ...body, userId })
        return { status: 200, body: { userId, timeZone } }
      },
    }),
  ]
}

function presentRecipient({ id, label, value, createdAtMs }: SavedRecipientRow) {
  return { recipientId: id, label, value, createdAtMs }
}
