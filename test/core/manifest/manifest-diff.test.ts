import { describe, expect, it } from 'vitest'
import { escapeToken } from '../../../src/core/json-pointer.ts'
import type { JsonValue } from '../../../src/core/json-value.ts'
import { isJsonArray, isJsonObject } from '../../../src/core/json-value.ts'
import { diffManifests, needsNewConsent } from '../../../src/core/manifest/manifest-diff.ts'
import {
  actionAt as at,
  type Edit,
  editedJson,
  parseEdited,
  SAMPLE_SKILLS,
  type SampleSkill,
  sampleManifest,
} from '../../support/sample-manifest.ts'

const paid = at('coffee.order', 'order_and_pay')
const cancel = at('coffee.order', 'cancel_order')
const input = `${paid}/input/properties`
const schedule = at('pay.transfer', 'schedule_transfer')
const payOrder = at('pay.transfer', 'pay_order')
const addPayee = at('pay.transfer', 'add_payee')

type Row = [name: string, action: string, edits: Edit[], code: string]

/** The skill whose action it is; names are unique among the samples. */
function changesOf(action: string, edits: readonly Edit[], base: readonly Edit[] = []) {
  const skill = SAMPLE_SKILLS.find((name) => sampleManifest(name).actions.some((a) => a.name === action))
  if (!skill) throw new Error(`no sample has ${action}`)
  return needsNewConsent(sampleManifest(skill, ...base), sampleManifest(skill, ...base, ...edits), action)
}

describe('needsNewConsent asks again for', () => {
  it.each<Row>([
    [
      'another endpoint',
      'order_and_pay',
      [['/endpoint/baseUrl', 'http://127.0.0.1:9999']],
      'endpoint_changed',
    ],
    ['another path', 'order_and_pay', [[`${paid}/path`, '/other']], 'endpoint_changed'],
    ['another publisher', 'order_and_pay', [['/publisher', 'tea.example']], 'publisher_changed'],
    ['another title of the skill', 'order_and_pay', [['/title/en', 'Order tea']], 'text_changed'],
    [
      'another description of the action',
      'order_and_pay',
      [[`${paid}/description/zh`, '下单。']],
      'text_changed',
    ],
    ['another title of a recipient', 'order_and_pay', [['/recipients/0/title/en', 'A shop']], 'text_changed'],
    ['another title of a memory class', 'order_and_pay', [['/memory/0/title/en', 'Things']], 'text_changed'],
    [
      'another title of a category a field carries',
      'order_and_pay',
      [['/categories/payment/en', 'Odds and ends']],
      'text_changed',
    ],
    [
      'an effect more',
      'order_and_pay',
      [[`${paid}/effects`, ['state-change', 'spend', 'egress']]],
      'effects_changed',
    ],
    [
      'an effect less, because guards hang on effects',
      'add_payee',
      [[`${addPayee}/effects`, ['state-change']]],
      'effects_changed',
    ],
    [
      'an input field more',
      'order_and_pay',
      [[`${input}/note`, { type: 'string', maxLength: 9 }]],
      'input_widened',
    ],
    [
      'a required field less',
      'order_and_pay',
      [[`${paid}/input/required`, ['total_amount', 'currency']]],
      'input_widened',
    ],
    [
      'a required field that is gone',
      'order_and_pay',
      [
        [`${input}/pickup`, undefined],
        [
          `${paid}/input/required`,
          ['quote_id', 'store_id', 'currency', 'idempotency_key', 'total_amount', 'payment_token'],
        ],
      ],
      'input_widened',
    ],
    [
      'a value more',
      'order_and_pay',
      [[`${input}/pickup/enum`, ['store', 'delivery', 'drone']]],
      'input_widened',
    ],
    [
      'a list of values that is gone',
      'order_and_pay',
      [
        [
          `${input}/pickup`,
          {
            type: 'string',
            maxLength: 20,
            'x-category': 'order',
            'x-title': { en: 'How you get it', zh: '取货方式' },
          },
        ],
      ],
      'input_widened',
    ],
    ['a higher maximum', 'order_and_pay', [[`${input}/total_amount/maximum`, 10000001]], 'input_widened'],
    ['a longer text', 'order_and_pay', [[`${input}/quote_id/maxLength`, 65]], 'input_widened'],
    ['a lower minimum', 'order_and_pay', [[`${input}/idempotency_key/minLength`, 1]], 'input_widened'],
    ['another pattern', 'order_and_pay', [[`${input}/store_id/pattern`, '^.*$']], 'input_widened'],
    ['a pattern that is gone', 'order_and_pay', [[`${input}/store_id/pattern`, undefined]], 'input_widened'],
    ['another type', 'order_and_pay', [[`${input}/total_amount/type`, 'number']], 'input_widened'],
    [
      'longer lists',
      'quote',
      [[`${at('coffee.order', 'quote')}/input/properties/items/maxItems`, 21]],
      'input_widened',
    ],
    [
      'a default',
      'search_stores',
      [[`${at('coffee.order', 'search_stores')}/input/properties/radius_m/default`, 5000]],
      'field_meaning_changed',
    ],
    [
      'another category of a field',
      'order_and_pay',
      [[`${input}/pickup/x-category`, 'basket']],
      'field_meaning_changed',
    ],
    [
      'a field no longer marked',
      'order_and_pay',
      [[`${input}/payment_token/x-kind`, undefined]],
      'field_meaning_changed',
    ],
    [
      'another title of a field',
      'order_and_pay',
      [[`${input}/pickup/x-title/en`, 'Whatever']],
      'field_meaning_changed',
    ],
    [
      'a result field more',
      'order_and_pay',
      [[`${paid}/result/properties/mood`, { type: 'string', maxLength: 9 }]],
      'result_widened',
    ],
    [
      'another place of the amount',
      'order_and_pay',
      [[`${paid}/spends/amount/pointer`, '/store_id']],
      'amount_place_changed',
    ],
    [
      'another form of the amount',
      'order_and_pay',
      [[`${paid}/spends/amount/form`, 'decimal']],
      'amount_place_changed',
    ],
    [
      'another currency of the amount',
      'order_and_pay',
      [[`${paid}/spends/amount/currencyPointer`, '/store_id']],
      'amount_place_changed',
    ],
    [
      'a charged amount that is gone',
      'order_and_pay',
      [[`${paid}/spends/charged`, undefined]],
      'amount_place_changed',
    ],
    ['spending that is gone', 'order_and_pay', [[`${paid}/spends`, undefined]], 'amount_place_changed'],
    ['a higher most', 'order_and_pay', [[`${paid}/spends/most/CNY`, 50001]], 'most_raised'],
    ['a currency more', 'order_and_pay', [[`${paid}/spends/most/USD`, 1]], 'currency_added'],
    ['more repetitions', 'schedule_transfer', [[`${schedule}/spends/recurs/most`, 25]], 'recurrence_changed'],
    [
      'repetitions no longer declared',
      'schedule_transfer',
      [[`${schedule}/spends/recurs`, undefined]],
      'recurrence_changed',
    ],
    [
      'payments no longer tied to an order',
      'pay_order',
      [[`${payOrder}/spends/pays`, undefined]],
      'payment_link_changed',
    ],
    [
      'another payee of a debt',
      'place_order',
      [[`${at('coffee.order', 'place_order')}/owes/payeePointer`, '/order_id']],
      'payment_link_changed',
    ],
    [
      'another way of refusing',
      'order_and_pay',
      [[`${paid}/refusal/statuses`, [400, 409, 422]]],
      'refusal_changed',
    ],
    [
      'a promise about keys withdrawn',
      'order_and_pay',
      [[`${paid}/honoursKeys`, false]],
      'key_promise_changed',
    ],
    [
      'another place of the receipt',
      'order_and_pay',
      [[`${paid}/receiptPointer`, '/order_id']],
      'key_promise_changed',
    ],
    [
      'a recipient more',
      'cancel_order',
      [[`${cancel}/recipients`, ['coffee.example', 'pay.example']]],
      'recipient_added',
    ],
    [
      'a recipient that gets a category more',
      'order_and_pay',
      [['/recipients/1/categories', ['order', 'payment', 'basket']]],
      'recipient_changed',
    ],
    [
      'a recipient in another role',
      'order_and_pay',
      [['/recipients/1/role', 'processor']],
      'recipient_changed',
    ],
    [
      'a memory class more',
      'order_and_pay',
      [[`${paid}/remembers`, ['order_history', 'payment_token', 'location']]],
      'memory_added',
    ],
    [
      'a memory class that holds a category more',
      'order_and_pay',
      [['/memory/0/categories', ['basket', 'order', 'price', 'payment']]],
      'memory_changed',
    ],
    ['longer retention', 'order_and_pay', [['/memory/0/maxDays', 181]], 'retention_longer'],
    [
      'a day instead of a session',
      'search_stores',
      [
        ['/memory/1/sessionOnly', false],
        ['/memory/1/maxDays', 1],
      ],
      'retention_longer',
    ],
    [
      'a session instead of not at all',
      'order_and_pay',
      [['/memory/2/sessionOnly', true]],
      'retention_longer',
    ],
    ['an undo that is gone', 'order_and_pay', [[`${paid}/undo`, undefined]], 'undo_removed'],
    ['less time to undo', 'order_and_pay', [[`${paid}/undo/withinSeconds`, 299]], 'undo_shortened'],
    ['another undo', 'order_and_pay', [[`${paid}/undo/action`, 'get_order']], 'companion_changed'],
    [
      'a clean-up call more',
      'order_and_pay',
      [[`${paid}/stop`, { action: 'cancel_order', arguments: {} }]],
      'companion_added',
    ],
    ['a clean-up call less', 'order_and_pay', [[`${paid}/cancel`, undefined]], 'companion_removed'],
    [
      'other arguments of a clean-up call',
      'order_and_pay',
      [[`${paid}/cancel/arguments/~1reason`, { from: 'arguments', pointer: '/quote_id' }]],
      'companion_changed',
    ],
    [
      'a clean-up call that goes elsewhere',
      'order_and_pay',
      [[`${cancel}/path`, '/elsewhere']],
      'companion_changed',
    ],
    [
      'a clean-up call with a recipient more',
      'order_and_pay',
      [[`${cancel}/recipients`, ['coffee.example', 'pay.example']]],
      'companion_changed',
    ],
    [
      'an action that no longer always asks',
      'add_payee',
      [[`${addPayee}/addsRecipient`, undefined]],
      'guard_removed',
    ],
    ['a skill that no longer verifies its calls', 'get_menu', [['/verifiesCalls', false]], 'guard_removed'],
    [
      'a skill that no longer says that it verifies',
      'get_menu',
      [['/verifiesCalls', undefined]],
      'guard_removed',
    ],
    ['an action that is gone', 'get_menu', [[at('coffee.order', 'get_menu'), undefined]], 'action_removed'],
  ])('%s', (_, action, edits, code) => {
    expect(changesOf(action, edits).map((change) => change.code)).toContain(code)
  })

  it('an action nobody has agreed to', () => {
    const without = sampleManifest('coffee.order', [at('coffee.order', 'get_menu'), undefined])
    const codes = needsNewConsent(without, sampleManifest('coffee.order'), 'get_menu').map(({ code }) => code)
    expect(codes).toEqual(['action_added'])
  })
})

describe('needsNewConsent lets pass', () => {
  it('a skill that verifies its calls from now on', () => {
    const before = sampleManifest('coffee.order', ['/verifiesCalls', undefined])
    expect(needsNewConsent(before, sampleManifest('coffee.order'), 'get_menu')).toEqual([])
  })

  it.each<[string, string, Edit[]]>([
    ['a higher version', 'order_and_pay', [['/version', 2]]],
    ['another runtime key list', 'order_and_pay', [['/runtimeKeys', []]]],
    ['another time-out', 'order_and_pay', [[`${paid}/timeoutMs`, 30000]]],
    ['other polling', 'order_and_pay', [[`${paid}/poll/everySeconds`, 60]]],
    ['a lower most', 'order_and_pay', [[`${paid}/spends/most/CNY`, 49999]]],
    ['a value less', 'order_and_pay', [[`${input}/pickup/enum`, ['store']]]],
    [
      'a single value instead of a list',
      'order_and_pay',
      [
        [`${input}/pickup/enum`, undefined],
        [`${input}/pickup/const`, 'store'],
      ],
    ],
    ['a lower maximum', 'order_and_pay', [[`${input}/total_amount/maximum`, 50000]]],
    ['an optional field less', 'cancel_order', [[`${cancel}/input/properties/reason`, undefined]]],
    [
      'a field that is required now',
      'cancel_order',
      [[`${cancel}/input/required`, ['execution_id', 'reason']]],
    ],
    ['a pattern more', 'cancel_order', [[`${cancel}/input/properties/execution_id/pattern`, '^exe_']]],
    ['a recipient less', 'order_and_pay', [[`${paid}/recipients`, ['coffee.example']]]],
    ['a recipient that gets a category less', 'order_and_pay', [['/recipients/1/categories', ['order']]]],
    ['a memory class less', 'order_and_pay', [[`${paid}/remembers`, []]]],
    ['shorter retention', 'order_and_pay', [['/memory/0/maxDays', 30]]],
    ['more time to undo', 'order_and_pay', [[`${paid}/undo/withinSeconds`, 600]]],
    ['fewer repetitions', 'schedule_transfer', [[`${schedule}/spends/recurs/most`, 12]]],
    ['effects in another order', 'order_and_pay', [[`${paid}/effects`, ['spend', 'state-change']]]],
    ['a change of another action', 'get_menu', [[`${paid}/path`, '/elsewhere']]],
    [
      'another title of a category it does not carry',
      'get_balance',
      [['/categories/payer_name_masked/en', 'Name']],
    ],
  ])('%s', (_, action, edits) => {
    expect(changesOf(action, edits)).toEqual([])
  })
})

describe('diffManifests', () => {
  it.each(SAMPLE_SKILLS)('finds nothing between %s and itself', (skill) => {
    const { perAction } = diffManifests(sampleManifest(skill), sampleManifest(skill))
    expect(Object.keys(perAction)).toEqual(sampleManifest(skill).actions.map((action) => action.name))
    expect(Object.values(perAction).flat()).toEqual([])
  })

  it('names the place and both sides of a change', () => {
    const next = sampleManifest('coffee.order', [`${paid}/spends/most/CNY`, 60000])
    expect(diffManifests(sampleManifest('coffee.order'), next).perAction.order_and_pay).toEqual([
      { code: 'most_raised', pointer: `${paid}/spends/most/CNY`, before: 50000, after: 60000 },
    ])
  })

  it.each(SAMPLE_SKILLS)('notices every single value of %s that grows, shrinks or goes', (skill) => {
    const consented = sampleManifest(skill)
    const missed = singleEdits(skill).filter((edit) => {
      const next = parseEdited(skill, edit)
      if (!next.ok) return false
      const { perAction } = diffManifests(consented, next.manifest)
      return Object.values(perAction).flat().length === 0
    })
    expect(missed.filter(([pointer, value]) => !isNarrowerOrFree(pointer, value))).toEqual([])
  })
})

/** One edit for each leaf of the document: another text, a number up by one, a switch turned, or removed. */
function singleEdits(skill: SampleSkill): Edit[] {
  return leaves(editedJson(skill, []), '').flatMap(([pointer, value]): Edit[] => {
    if (typeof value === 'number')
      return [
        [pointer, value + 1],
        [pointer, undefined],
      ]
    if (typeof value === 'boolean')
      return [
        [pointer, !value],
        [pointer, undefined],
      ]
    if (typeof value === 'string')
      return [
        [pointer, `${value}x`],
        [pointer, undefined],
      ]
    return [[pointer, undefined]]
  })
}

function leaves(value: JsonValue, pointer: string): [string, JsonValue][] {
  const children = isJsonArray(value)
    ? value.map((child, index): [string, JsonValue] => [String(index), child])
    : isJsonObject(value)
      ? Object.entries(value)
      : []
  if (children.length === 0) return [[pointer, value]]
  return children.flatMap(([name, child]) => leaves(child, `${pointer}/${escapeToken(name)}`))
}

/** Edits that ask for nothing more: stated one by one, so that whatever else is missed fails the test. */
const FREE: readonly [pointer: RegExp, removed: boolean | 'both'][] = [
  [/^\/version$/, 'both'],
  [/^\/runtimeKeys\//, 'both'],
  [/\/timeoutMs$/, 'both'],
  [/\/poll\//, 'both'],
  [/\/(minimum|minLength|minItems)$/, false],
  [/\/undo\/withinSeconds$/, false],
  // Between a session and days it is the days that count; neither "not at all" nor 180 days grow by it.
  [/^\/memory\/\d+\/sessionOnly$/, false],
  // Objects without fields: nothing is listed either way.
  [/\/input\/(properties|required)$/, true],
  // Fewer recipients, memory, categories, currencies and allowed values are narrower.
  [/^\/actions\/\d+\/(recipients|remembers)\/\d+$/, true],
  [/^\/(recipients|memory)\/\d+\/categories\/\d+$/, true],
  [/\/spends\/most\/[A-Z]{3}$/, true],
  [/\/enum\/\d+$/, true],
]

function isNarrowerOrFree(pointer: string, value: JsonValue | undefined): boolean {
  return FREE.some(
    ([pattern, removed]) =>
      pattern.test(pointer) && (removed === 'both' || removed === (value === undefined)),
  )
}
