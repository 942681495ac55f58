import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readTextCalls } from '../../src/sdk/text-tool-calls.ts'
import { readXmlArguments } from '../../src/sdk/tool-arguments.ts'
import { hermesCall, xmlCall } from '../support/model-wire.ts'

const SEED = 20_270_115
const marker = /<\/?(tool_call|function|parameter|think)/
const word = fc.stringMatching(/^[a-z][a-z_]{0,11}$/)

describe('calls in a text', () => {
  it('are what was written, in Hermes style, whatever the arguments are', () => {
    const value = fc.jsonValue({ maxDepth: 3 }).filter((it) => !marker.test(JSON.stringify(it)))
    const call = fc.record({ name: word, arguments: fc.dictionary(word, value) })
    const texts = fc.tuple(fc.lorem(), fc.array(call, { maxLength: 4 }))
    fc.assert(
      fc.property(texts, ([before, calls]) => {
        const content = `${before}\n${calls.map((one) => hermesCall(one.name, one.arguments)).join('\n')}`
        const read = readTextCalls(content)
        expect(read.text).toBe(before.trim())
        const expected = calls.map((one) => JSON.parse(JSON.stringify({ kind: 'json', ...one })))
        expect(JSON.parse(JSON.stringify(read.calls))).toEqual(expected)
      }),
      { seed: SEED },
    )
  })

  it('are what was written, in XML style, by the types of the schema', () => {
    const text = fc.string({ unit: 'grapheme' }).filter((it) => !marker.test(it) && !/[\r]/.test(it))
    const args = fc.record({ text, count: fc.integer(), flag: fc.boolean(), list: fc.array(fc.integer()) })
    const input = {
      type: 'object',
      properties: {
        text: { type: 'string' },
        count: { type: 'integer' },
        flag: { type: 'boolean' },
        list: { type: 'array' },
      },
    }
    fc.assert(
      fc.property(args, (written) => {
        const [call] = readTextCalls(xmlCall('do_it', written)).calls
        if (call?.kind !== 'xml') throw new Error(JSON.stringify(call))
        const read = readXmlArguments(call.parameters, { input })
        expect(JSON.parse(JSON.stringify(read))).toEqual({ ok: true, value: written })
      }),
      { seed: SEED },
    )
  })

  it('that are numbers in words stay words, for the broker to refuse', () => {
    const input = { type: 'object', properties: { amount: { type: 'integer' }, name: { type: 'string' } } }
    const parameters = new Map([
      ['amount', 'ten'],
      ['name', '12'],
      ['other', '{"a":1}'],
    ])
    const value = { amount: 'ten', name: '12', other: '{"a":1}' }
    expect(readXmlArguments(parameters, { input })).toEqual({ ok: true, value })
  })

  it.each([
    ['in the middle of thinking', `<think>${hermesCall('pay', {})}</think>No.`],
    ['in thinking that the template had opened', `${hermesCall('pay', {})}</think>No.`],
    ['in thinking that was cut off', `<think>${hermesCall('pay', {})}`],
  ])('are none %s', (_, content) => {
    expect(readTextCalls(content).calls).toEqual([])
  })

  it.each([
    ['JSON that is cut off', '<tool_call>{"name":"pay","arguments":{"amount":1</tool_call>'],
    ['a call within a call', `<tool_call>${hermesCall('pay', {})}</tool_call>`],
    ['arguments as a string', '<tool_call>{"name":"pay","arguments":"{}"}</tool_call>'],
    ['no arguments', '<tool_call>{"name":"pay"}</tool_call>'],
    ['another member', '<tool_call>{"name":"pay","arguments":{},"user":"bob"}</tool_call>'],
    ['a name twice', '<tool_call>{"name":"pay","name":"read","arguments":{}}</tool_call>'],
    [
      'two calls in one frame',
      '<tool_call>{"name":"a","arguments":{}}{"name":"b","arguments":{}}</tool_call>',
    ],
    ['Python', "<tool_call>{'name': 'pay', 'arguments': {}}</tool_call>"],
    ['a function that is not closed', '<tool_call><function=pay><parameter=a>1</parameter></tool_call>'],
    ['a parameter that is not closed', '<tool_call><function=pay><parameter=a>1</function></tool_call>'],
    [
      'text between parameters',
      '<tool_call><function=pay><parameter=a>1</parameter>x</function></tool_call>',
    ],
    [
      'a value that closes itself',
      '<tool_call><function=pay><parameter=a>1</parameter></parameter></function></tool_call>',
    ],
    ['nothing', '<tool_call></tool_call>'],
  ])('are faults where they hold %s', (_, content) => {
    const { calls } = readTextCalls(content)
    expect(calls.length).toBeGreaterThan(0)
    expect(calls.every(({ kind }) => kind === 'fault')).toBe(true)
  })

  it('never throw, and are never made of what is no call', () => {
    const piece = fc.constantFrom(
      '<tool_call>',
      '</tool_call>',
      '<function=a>',
      '</function>',
      '<parameter=b>',
      '</parameter>',
      '<think>',
      '</think>',
      '{"name":"a","arguments":{}}',
      '\n',
      'x',
      '"',
      '{',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 24 }), (pieces) => {
        const content = pieces.join('')
        const { calls } = readTextCalls(content)
        const openings = content.split('<tool_call>').length - 1
        expect(calls.filter(({ kind }) => kind !== 'fault').length).toBeLessThanOrEqual(openings)
      }),
      { seed: SEED, numRuns: 2_000 },
    )
  })
})
