import { describe, expect, it } from 'vitest'
import { lintManifest } from '../../../src/core/manifest/lint-manifest.ts'
import { actionAt, type Edit, type SampleSkill, sampleManifest } from '../../support/sample-manifest.ts'

const at = actionAt
const paid = at('coffee.order', 'order_and_pay')
const placed = at('coffee.order', 'place_order')
const menu = at('coffee.order', 'get_menu')
const cancel = at('coffee.order', 'cancel_order')
const status = at('coffee.order', 'get_order')
const transfer = at('pay.transfer', 'transfer')
const schedule = at('pay.transfer', 'schedule_transfer')
const payOrder = at('pay.transfer', 'pay_order')
const addPayee = at('pay.transfer', 'add_payee')
const open = at('web.browse', 'open_page')

const field = (title: string, more: object) => ({
  type: 'string',
  maxLength: 64,
  'x-title': { en: title, zh: '字段' },
  ...more,
})

function faultsOf(skill: SampleSkill, edits: readonly Edit[], allowDevelopment = true) {
  return lintManifest(sampleManifest(skill, ...edits), { allowDevelopment })
}

type Row = [name: string, skill: SampleSkill, edits: Edit[], pointer: string, code: string]

describe('lintManifest refuses', () => {
  it.each<Row>([
    [
      'plain http to another machine',
      'coffee.order',
      [['/endpoint/baseUrl', 'http://coffee.example']],
      '/endpoint/baseUrl',
      'endpoint_not_https',
    ],
    [
      'a host that only starts like loopback',
      'coffee.order',
      [['/endpoint/baseUrl', 'http://127.0.0.1.evil.example']],
      '/endpoint/baseUrl',
      'endpoint_not_https',
    ],
    [
      'user info in the endpoint',
      'coffee.order',
      [['/endpoint/baseUrl', 'https://me@coffee.example']],
      '/endpoint/baseUrl',
      'endpoint_not_plain',
    ],
    [
      'an endpoint the parser would mend',
      'coffee.order',
      [['/endpoint/baseUrl', 'https://coffee.example/a/../b']],
      '/endpoint/baseUrl',
      'endpoint_not_plain',
    ],
    [
      'two actions of one name',
      'coffee.order',
      [[`${placed}/name`, 'order_and_pay']],
      `${paid}/name`,
      'duplicate_name',
    ],
    [
      'an effect named twice',
      'coffee.order',
      [[`${menu}/effects`, ['read', 'read']]],
      `${menu}/effects`,
      'duplicate_effect',
    ],
    [
      "a skill that passes for the broker's own tools",
      'coffee.order',
      [['/skill', 'countersign.order']],
      '/skill',
      'tool_name_reserved',
    ],
    [
      'a tool name beyond 64 characters',
      'coffee.order',
      [['/skill', `a.${'b'.repeat(60)}`]],
      `${menu}/name`,
      'tool_name_too_long',
    ],
    [
      'a runtime key whose kid is not its thumbprint',
      'coffee.order',
      [['/runtimeKeys/0/kid', 'A'.repeat(43)]],
      '/runtimeKeys/0',
      'kid_not_thumbprint',
    ],
    [
      'a recipient nobody declared',
      'coffee.order',
      [[`${menu}/recipients`, ['ads.example']]],
      `${menu}/recipients/0`,
      'unknown_recipient',
    ],
    [
      'a memory class nobody declared',
      'coffee.order',
      [[`${menu}/remembers`, ['taste']]],
      `${menu}/remembers/0`,
      'unknown_memory_class',
    ],
    [
      'a category nobody declared',
      'coffee.order',
      [['/recipients/0/categories', ['health']]],
      '/recipients/0/categories/0',
      'unknown_category',
    ],
    [
      'an argument that could be one of the broker’s own',
      'coffee.order',
      [[`${menu}/input/properties/_again`, field('Again', {})]],
      `${menu}/input/properties/_again`,
      'argument_name_reserved',
    ],
    [
      'a field of a category nobody declared',
      'coffee.order',
      [[`${menu}/input/properties/store_id/x-category`, 'health']],
      `${menu}/input/properties/store_id/x-category`,
      'unknown_category',
    ],
    [
      'memory for the session and for days',
      'coffee.order',
      [['/memory/1/maxDays', 3]],
      '/memory/1/maxDays',
      'retention_contradicts',
    ],
    [
      'a description that is not translated',
      'coffee.order',
      [['/description/zh', 'Order coffee']],
      '/description/zh',
      'text_not_translated',
    ],
    ['a title of white space', 'coffee.order', [['/title/en', ' ']], '/title/en', 'text_blank'],
    [
      'data that goes to nobody who is named',
      'coffee.order',
      [
        ['/recipients/0/categories', ['coarse_location', 'store', 'basket', 'order', 'price']],
        ['/recipients/1/categories', ['order']],
      ],
      `${paid}/input/properties/payment_token`,
      'category_without_recipient',
    ],
    [
      'an open object',
      'coffee.order',
      [[`${menu}/input/additionalProperties`, true]],
      `${menu}/input`,
      'object_open',
    ],
    [
      'a string without a maximum',
      'coffee.order',
      [[`${menu}/input/properties/store_id/maxLength`, undefined]],
      `${menu}/input/properties/store_id`,
      'bound_missing',
    ],
    [
      'a schema behind a reference',
      'coffee.order',
      [[`${menu}/input/properties/store_id`, { $ref: '#/$defs/store' }]],
      `${menu}/input`,
      'reference_in_manifest',
    ],
    [
      'a spend that says nothing of money',
      'coffee.order',
      [[`${paid}/spends`, undefined]],
      paid,
      'spends_missing',
    ],
    [
      'money without the effect spend',
      'coffee.order',
      [[`${paid}/effects`, ['state-change']]],
      `${paid}/spends`,
      'spends_without_effect',
    ],
    ['no most at all', 'coffee.order', [[`${paid}/spends/most`, {}]], `${paid}/spends/most`, 'most_missing'],
    [
      'a most in a currency that does not exist',
      'coffee.order',
      [[`${paid}/spends/most/ABC`, 1]],
      `${paid}/spends/most/ABC`,
      'unknown_currency',
    ],
    [
      'an amount that points to nothing',
      'coffee.order',
      [[`${paid}/spends/amount/pointer`, '/total']],
      `${paid}/spends/amount/pointer`,
      'pointer_to_nothing',
    ],
    [
      'a currency that points to nothing',
      'coffee.order',
      [[`${paid}/spends/amount/currencyPointer`, '/cur']],
      `${paid}/spends/amount/currencyPointer`,
      'pointer_to_nothing',
    ],
    [
      'a charged amount that points to nothing',
      'coffee.order',
      [[`${paid}/spends/charged/pointer`, '/total']],
      `${paid}/spends/charged/pointer`,
      'pointer_to_nothing',
    ],
    [
      'a decimal amount declared in minor units',
      'pay.transfer',
      [[`${transfer}/spends/amount/form`, 'minor']],
      `${transfer}/input/properties/amount`,
      'amount_form_mismatch',
    ],
    [
      'an integer declared as decimal',
      'coffee.order',
      [[`${paid}/spends/amount/form`, 'decimal']],
      `${paid}/input/properties/total_amount`,
      'amount_form_mismatch',
    ],
    [
      'an amount that may be negative',
      'coffee.order',
      [[`${paid}/input/properties/total_amount/minimum`, -1]],
      `${paid}/input/properties/total_amount`,
      'amount_negative',
    ],
    [
      'an amount that may be missing',
      'coffee.order',
      [[`${paid}/input/required`, ['quote_id', 'currency']]],
      `${paid}/input/properties/total_amount`,
      'field_not_required',
    ],
    [
      'an amount with a default',
      'coffee.order',
      [[`${paid}/input/properties/total_amount/default`, 100]],
      `${paid}/input/properties/total_amount/default`,
      'amount_has_default',
    ],
    [
      'an amount that is not marked',
      'coffee.order',
      [[`${paid}/input/properties/total_amount/x-kind`, undefined]],
      `${paid}/input/properties/total_amount`,
      'unmarked_amount',
    ],
    [
      'a currency that is not marked',
      'coffee.order',
      [[`${paid}/input/properties/currency/x-kind`, undefined]],
      `${paid}/input/properties/currency`,
      'unmarked_currency',
    ],
    [
      'a fixed currency without a most',
      'coffee.order',
      [[`${paid}/spends/amount`, { pointer: '/total_amount', currency: 'USD', form: 'minor' }]],
      `${paid}/spends/amount/currency`,
      'currency_without_most',
    ],
    [
      'a second amount that nothing counts',
      'coffee.order',
      [[`${paid}/input/properties/tip`, { type: 'integer', minimum: 0, maximum: 9, 'x-kind': 'amount' }]],
      `${paid}/input/properties/tip`,
      'amount_not_counted',
    ],
    [
      'an amount in the result of an action that spends nothing',
      'coffee.order',
      [[`${cancel}/result/properties/fee`, { type: 'integer', minimum: 0, maximum: 9 }]],
      `${cancel}/result/properties/fee`,
      'amount_in_result',
    ],
    [
      'a marked amount in such a result',
      'coffee.order',
      [
        [
          `${cancel}/result/properties/taken`,
          { type: 'integer', minimum: 0, maximum: 9, 'x-kind': 'amount' },
        ],
      ],
      `${cancel}/result/properties/taken`,
      'amount_in_result',
    ],
    [
      'owing and spending at once',
      'coffee.order',
      [
        [
          `${paid}/owes`,
          {
            payeePointer: '/order_id',
            amount: { pointer: '/charged_amount', currencyPointer: '/currency', form: 'minor' },
          },
        ],
      ],
      `${paid}/owes`,
      'owes_and_spends',
    ],
    [
      'a debt to nobody',
      'coffee.order',
      [[`${placed}/owes/payeePointer`, '/payee']],
      `${placed}/owes/payeePointer`,
      'pointer_to_nothing',
    ],
    [
      'a debt whose payee is not marked',
      'coffee.order',
      [[`${placed}/result/properties/payee_id/x-kind`, undefined]],
      `${placed}/result/properties/payee_id`,
      'unmarked_recipient',
    ],
    [
      'a debt whose amount may be missing',
      'coffee.order',
      [[`${placed}/result/required`, ['order_id', 'payee_id', 'currency']]],
      `${placed}/result/properties/amount_due`,
      'field_not_required',
    ],
    [
      'a payment of an order that points to nothing',
      'pay.transfer',
      [[`${payOrder}/spends/pays/executionPointer`, '/order']],
      `${payOrder}/spends/pays/executionPointer`,
      'pointer_to_nothing',
    ],
    [
      'recurring money that is not declared',
      'pay.transfer',
      [[`${schedule}/spends/recurs`, undefined]],
      `${schedule}/spends`,
      'recurrence_undeclared',
    ],
    [
      'recurring money without an end',
      'pay.transfer',
      [[`${schedule}/input/properties/count/maximum`, 25]],
      `${schedule}/input/properties/count`,
      'recurrence_without_end',
    ],
    [
      'a companion that does not exist',
      'coffee.order',
      [[`${paid}/cancel/action`, 'undo_order']],
      `${paid}/cancel/action`,
      'companion_unknown',
    ],
    [
      'an action that is its own companion',
      'coffee.order',
      [[`${cancel}/cancel`, { action: 'cancel_order', arguments: {} }]],
      `${cancel}/cancel/action`,
      'companion_unknown',
    ],
    [
      'a companion that spends',
      'coffee.order',
      [[`${placed}/cancel/action`, 'order_and_pay']],
      `${placed}/cancel/action`,
      'companion_spends',
    ],
    [
      'a status action that changes something',
      'coffee.order',
      [[`${paid}/status/action`, 'cancel_order']],
      `${paid}/status/action`,
      'companion_not_read_only',
    ],
    [
      'a cancel action that changes nothing',
      'coffee.order',
      [[`${paid}/cancel/action`, 'get_order']],
      `${paid}/cancel/action`,
      'companion_changes_nothing',
    ],
    [
      'a status action without a receipt',
      'coffee.order',
      [[`${status}/receiptPointer`, undefined]],
      status,
      'status_unsigned',
    ],
    [
      'status answers without a key',
      'coffee.order',
      [['/runtimeKeys', []]],
      '/runtimeKeys',
      'runtime_key_missing',
    ],
    [
      'a companion without a required argument',
      'coffee.order',
      [[`${paid}/cancel/arguments`, {}]],
      `${paid}/cancel/arguments`,
      'companion_argument_missing',
    ],
    [
      'a companion argument that points to nothing',
      'coffee.order',
      [[`${paid}/preview/arguments/~1quote_id/pointer`, '/quote']],
      `${paid}/preview/arguments/~1quote_id`,
      'pointer_to_nothing',
    ],
    [
      'a companion argument of another type',
      'coffee.order',
      [[`${paid}/preview/arguments/~1quote_id/pointer`, '/total_amount']],
      `${paid}/preview/arguments/~1quote_id`,
      'companion_type_mismatch',
    ],
    [
      'a companion fed with what the broker hides',
      'coffee.order',
      [[`${paid}/preview/arguments/~1quote_id/pointer`, '/payment_token']],
      `${paid}/preview/arguments/~1quote_id`,
      'companion_source_hidden',
    ],
    [
      'a status call that needs the result it asks for',
      'coffee.order',
      [[`${paid}/status/arguments/~1execution_id`, { from: 'result', pointer: '/order_id' }]],
      `${paid}/status/arguments/~1execution_id`,
      'companion_source_unknown_yet',
    ],
    [
      'a preview that needs an execution',
      'coffee.order',
      [[`${paid}/preview/arguments/~1quote_id`, { from: 'executionId' }]],
      `${paid}/preview/arguments/~1quote_id`,
      'companion_source_unknown_yet',
    ],
    [
      'a field too short for an execution id',
      'coffee.order',
      [[`${status}/input/properties/execution_id/maxLength`, 20]],
      `${status}/input/properties/execution_id`,
      'companion_argument_too_short',
    ],
    [
      'polling with nothing to ask',
      'coffee.order',
      [[`${paid}/status`, undefined]],
      `${paid}/poll`,
      'poll_without_status',
    ],
    [
      'a secret in a result',
      'coffee.order',
      [[`${menu}/result/properties/token`, field('Token', { 'x-kind': 'secret' })]],
      `${menu}/result/properties/token`,
      'broker_filled_in_result',
    ],
    [
      'a secret with a default',
      'coffee.order',
      [[`${paid}/input/properties/payment_token/default`, 'x']],
      `${paid}/input/properties/payment_token/x-kind`,
      'broker_field_with_value',
    ],
    [
      'a receipt that is nowhere',
      'coffee.order',
      [[`${status}/receiptPointer`, '/signature']],
      `${status}/receiptPointer`,
      'pointer_to_nothing',
    ],
    [
      'saving a payee without authority',
      'pay.transfer',
      [[`${addPayee}/effects`, ['state-change']]],
      addPayee,
      'adds_recipient_undeclared',
    ],
    [
      'saving a payee without saying so',
      'pay.transfer',
      [[`${addPayee}/addsRecipient`, undefined]],
      addPayee,
      'adds_recipient_undeclared',
    ],
    [
      'an address that is not marked',
      'web.browse',
      [[`${open}/input/properties/url/x-kind`, undefined]],
      `${open}/input/properties/url`,
      'unmarked_url',
    ],
    [
      'a mail address that is not marked',
      'coffee.order',
      [[`${cancel}/input/properties/answer`, field('Answer', { format: 'email' })]],
      `${cancel}/input/properties/answer`,
      'unmarked_recipient',
    ],
    [
      'a command that is not marked',
      'coffee.order',
      [[`${cancel}/input/properties/command`, field('Command', {})]],
      `${cancel}/input/properties/command`,
      'unmarked_command',
    ],
  ])('%s', (_, skill, edits, pointer, code) => {
    const errors = faultsOf(skill, edits).filter((fault) => fault.severity === 'error')
    expect(errors.map((fault) => [fault.pointer, fault.code])).toContainEqual([pointer, code])
    expect(errors.every((fault) => fault.message.length > 0 && fault.mend.length > 0)).toBe(true)
  })

  it.each([
    ['this machine by address', 'https://127.0.0.1'],
    ['this machine by IPv6 address', 'https://[::1]:8443'],
    ['an IPv4 address inside an IPv6 one', 'https://[::ffff:7f00:1]'],
    ['a private network', 'https://10.0.0.1/api'],
    ['a metadata service', 'https://169.254.169.254'],
    ['an address of the internet, which no domain proves', 'https://93.184.216.34'],
    ['this machine by name', 'https://localhost'],
    ['this machine by a longer name', 'https://coffee.localhost.'],
    ['a name of the local network', 'https://metadata.google.internal'],
    ['a name without a dot', 'https://metadata'],
    ['port 0', 'https://coffee.example:0'],
  ])('an endpoint at %s, unless it is for development', (_, url) => {
    const codes = (allowDevelopment: boolean) =>
      faultsOf('coffee.order', [['/endpoint/baseUrl', url]], allowDevelopment).map((fault) => fault.code)
    expect(codes(false)).toEqual(['endpoint_not_public'])
    expect(codes(true)).toEqual([])
  })

  it('http on loopback, unless it is for development', () => {
    expect(faultsOf('coffee.order', [], false).map((fault) => fault.code)).toEqual(['endpoint_not_https'])
    expect(faultsOf('coffee.order', [['/endpoint/baseUrl', 'https://coffee.example']], false)).toEqual([])
  })
})

describe('lintManifest warns of', () => {
  it.each<Row>([
    [
      'a recipient no action uses',
      'coffee.order',
      [[`${paid}/recipients`, ['coffee.example']]],
      '/recipients/1',
      'unused_recipient',
    ],
    [
      'an action named after money that declares none',
      'coffee.order',
      [
        [`${cancel}/name`, 'refund_order'],
        [`${paid}/cancel/action`, 'refund_order'],
      ],
      `${cancel}/name`,
      'speaks_of_money',
    ],
    [
      'an action named after people that sends nothing',
      'coffee.order',
      [[`${menu}/name`, 'share_menu']],
      `${menu}/name`,
      'speaks_of_people',
    ],
    [
      'a field that may be money',
      'coffee.order',
      [[`${cancel}/input/properties/refund_amount`, field('Back', {})]],
      `${cancel}/input/properties/refund_amount`,
      'unmarked_amount',
    ],
    [
      'a field that may be a recipient',
      'coffee.order',
      [[`${cancel}/input/properties/share_to`, field('To', {})]],
      `${cancel}/input/properties/share_to`,
      'unmarked_recipient',
    ],
    [
      'an address the agent chooses without egress',
      'web.browse',
      [[`${open}/effects`, ['read']]],
      `${open}/input/properties/url`,
      'url_without_egress',
    ],
    [
      'reading beside a change',
      'coffee.order',
      [[`${cancel}/effects`, ['read', 'state-change']]],
      `${cancel}/effects`,
      'read_beside_change',
    ],
    [
      'recurring money that nothing cancels',
      'pay.transfer',
      [[`${schedule}/cancel`, undefined]],
      schedule,
      'recurrence_without_cancel',
    ],
    [
      'money only an operator could settle',
      'pay.transfer',
      [
        [`${transfer}/status`, undefined],
        [`${transfer}/poll`, undefined],
        [`${transfer}/honoursKeys`, false],
      ],
      transfer,
      'only_operators_can_settle',
    ],
  ])('%s', (_, skill, edits, pointer, code) => {
    const warnings = faultsOf(skill, edits).filter((fault) => fault.severity === 'warning')
    expect(warnings.map((fault) => [fault.pointer, fault.code])).toContainEqual([pointer, code])
  })
})

describe('lintManifest accepts', () => {
  it.each<[string, SampleSkill, Edit[]]>([
    [
      'a price that moves nothing',
      'coffee.order',
      [
        [
          `${cancel}/result/properties/fee`,
          { type: 'integer', minimum: 0, maximum: 9, 'x-kind': 'quotedAmount' },
        ],
      ],
    ],
    [
      'a fixed currency with a most',
      'coffee.order',
      [[`${paid}/spends/amount`, { pointer: '/total_amount', currency: 'CNY', form: 'minor' }]],
    ],
    [
      'a status that only sounds like money',
      'coffee.order',
      [[`${cancel}/result/properties/refund_status`, field('State', {})]],
    ],
    [
      'a spend without a charged amount',
      'coffee.order',
      [
        [`${paid}/spends/charged`, undefined],
        [`${paid}/result/properties/charged_amount`, undefined],
        [`${paid}/result/required`, ['order_id', 'currency']],
      ],
    ],
  ])('%s', (_, skill, edits) => {
    expect(faultsOf(skill, edits)).toEqual([])
  })
})
