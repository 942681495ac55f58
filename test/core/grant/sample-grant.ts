import type { GrantTerms } from '../../../src/core/grant/terms.ts'
import { type Manifest, manifestShape } from '../../../src/core/manifest/manifest.ts'

export const NOW_MS = Date.UTC(2026, 10, 23, 8, 0, 0)
export const DAY_MS = 86_400_000

const both = (en: string, zh: string) => ({ en, zh })
const text = (extra = {}) => ({ type: 'string', maxLength: 200, 'x-category': 'order', ...extra })
const object = (properties: object) => ({
  type: 'object',
  properties,
  required: [],
  additionalProperties: false,
})

const base = {
  path: '/call',
  timeoutMs: 5000,
  result: object({}),
  recipients: ['shop'],
  remembers: [],
  honoursKeys: true,
}

/** A skill with every kind of action and field a consent can be about. */
export const MANIFEST: Manifest = manifestShape.parse({
  manifestVersion: 1,
  skill: 'coffee.order',
  version: 3,
  publisher: 'coffee.example',
  title: both('Coffee orders', '咖啡点单'),
  description: both('Order coffee for pickup.', '点咖啡，到店自取。'),
  endpoint: { transport: 'http', baseUrl: 'https://coffee.example/api' },
  runtimeKeys: [],
  categories: { order: both('your orders', '你的订单'), place: both('rough location', '大致位置') },
  recipients: [
    { id: 'shop', role: 'merchant', title: both('Coffee Example', '示例咖啡'), categories: ['order'] },
    { id: 'pay', role: 'payment', title: both('Pay Example', '示例支付'), categories: ['order'] },
  ],
  memory: [
    {
      class: 'history',
      title: both('order history', '订单记录'),
      categories: ['order'],
      maxDays: 180,
      sessionOnly: false,
    },
    {
      class: 'location',
      title: both('location', '位置'),
      categories: ['place'],
      maxDays: 0,
      sessionOnly: true,
    },
  ],
  actions: [
    {
      ...base,
      name: 'get_menu',
      title: both('See the menu', '查看菜单'),
      description: both('Lists drinks and prices.', '列出饮品和价格。'),
      effects: ['read'],
      input: object({ store: text(), page: text({ 'x-kind': 'url' }) }),
    },
    {
      ...base,
      name: 'place_order',
      title: both('Place an order', '下单'),
      description: both('Orders and charges.', '提交订单并付款。'),
      effects: ['state-change', 'spend'],
      recipients: ['shop', 'pay'],
      remembers: ['history', 'location'],
      input: object({
        total: { type: 'integer', minimum: 0, maximum: 100000, 'x-kind': 'amount', 'x-category': 'order' },
        currency: text({ 'x-kind': 'currency' }),
        token: text({ 'x-kind': 'secret' }),
        note: text({ 'x-title': both('Note', '备注') }),
        times: { type: 'integer', minimum: 1, maximum: 12, 'x-category': 'order' },
        items: {
          type: 'array',
          maxItems: 20,
          items: object({
            sku: text({ 'x-title': both('Drink', '饮品') }),
            quantity: { type: 'integer', minimum: 1, maximum: 9 },
          }),
        },
      }),
      spends: {
        amount: { pointer: '/total', currencyPointer: '/currency', form: 'minor' },
        most: { CNY: 50000, JPY: 9000 },
        recurs: { countPointer: '/times', most: 12 },
      },
      preview: { action: 'get_menu', arguments: {} },
      cancel: { action: 'cancel_order', arguments: {} },
      undo: { action: 'cancel_order', arguments: {}, withinSeconds: 600 },
    },
    {
      ...base,
      name: 'cancel_order',
      title: both('Cancel an order', '取消订单'),
      description: both('Before it is made.', '制作前可取消。'),
      effects: ['state-change'],
      input: object({ order: text() }),
    },
    {
      ...base,
      name: 'pay_bill',
      title: both('Pay a bill', '付账单'),
      description: both('Pays someone.', '向他人付款。'),
      effects: ['spend', 'egress'],
      recipients: ['pay'],
      input: object({
        payee: text({ 'x-kind': 'recipient', 'x-title': both('Payee', '收款人') }),
        execution: text(),
        total: { type: 'integer', minimum: 0, maximum: 100000, 'x-kind': 'amount' },
      }),
      spends: {
        amount: { pointer: '/total', currency: 'CNY', form: 'minor' },
        most: { CNY: 20000 },
        pays: { executionPointer: '/execution', payeePointer: '/payee' },
      },
    },
    {
      ...base,
      name: 'add_payee',
      title: both('Add a payee', '添加收款人'),
      description: both('Adds somebody to pay.', '添加一个收款人。'),
      effects: ['authority'],
      addsRecipient: true,
      input: object({ payee: text({ 'x-kind': 'recipient' }) }),
    },
    {
      ...base,
      name: 'open_door',
      title: both('Open the door', '开门'),
      description: both('Opens the locker.', '打开取餐柜。'),
      effects: ['physical'],
      input: object({}),
      stop: { action: 'cancel_order', arguments: {} },
    },
  ],
})

export const TERMS: GrantTerms = {
  skill: 'coffee.order',
  actions: [
    { name: 'get_menu', constraints: [] },
    { name: 'place_order', constraints: [{ kind: 'range', pointer: '/total', max: 5000 }] },
  ],
  budgets: [
    { measure: 'amount', currency: 'CNY', window: { kind: 'calendar', period: 'day' }, limit: 10_000 },
    { measure: 'count', window: { kind: 'rolling', ms: 3_600_000 }, limit: 5, action: 'place_order' },
  ],
  askFirst: [{ kind: 'above_amount', currency: 'CNY', amountMinor: 3000, actions: ['place_order'] }],
  unasked: [],
  categories: ['order'],
  recipients: ['shop', 'pay'],
  retentionDays: { history: 30 },
  deployments: { kind: 'registered' },
  oneTime: false,
  expiresAtMs: NOW_MS + 30 * DAY_MS,
  sharesBudget: false,
}

export function actionNamed(name: string) {
  const action = MANIFEST.actions.find((candidate) => candidate.name === name)
  if (!action) throw new Error(`no action ${name}`)
  return action
}
