import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AnswerCollector } from '../../src/sdk/read-completion.ts'
import { serverSentEvents } from '../../src/sdk/server-sent-events.ts'
import { completionChunks, wholeCompletion } from '../support/model-wire.ts'

const SEED = 20_270_116
const ABOUT = { id: 'chatcmpl-1', model: 'qwen3' }
const collector = () => new AnswerCollector((model) => model === 'qwen3')
const chunk = (delta: object, about: object = {}) => ({
  model: 'qwen3',
  choices: [{ index: 0, delta, finish_reason: null }],
  ...about,
})
const call = (part: object) => chunk({ tool_calls: [part] })

function bodyOf(bytes: Uint8Array, cuts: readonly number[]): ReadableStream<Uint8Array> {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  return new ReadableStream({
    start(controller) {
      let at = 0
      for (const place of [...places, bytes.length]) {
        if (place > at) controller.enqueue(bytes.slice(at, place))
        at = Math.max(at, place)
      }
      controller.close()
    },
  })
}

async function eventsOf(text: string, cuts: readonly number[] = []): Promise<string[]> {
  const events: string[] = []
  for await (const data of serverSentEvents(bodyOf(Buffer.from(text), cuts))) events.push(data)
  return events
}

describe('a streamed answer', () => {
  it('is the same as the whole one, wherever its bytes are cut', async () => {
    const answer = fc.record({
      content: fc.string({ unit: 'grapheme' }),
      reasoning: fc.string({ unit: 'grapheme' }),
      toolCalls: fc.array(fc.record({ name: fc.stringMatching(/^[a-z]{1,8}$/), arguments: fc.json() }), {
        maxLength: 3,
      }),
      wholeCalls: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(answer, fc.array(fc.nat()), async (scripted, cuts) => {
        const streamed = collector()
        for (const data of await eventsOf(completionChunks(scripted, ABOUT).join(''), cuts)) {
          if (data !== '[DONE]') expect(streamed.add(JSON.parse(data), 'delta')).toBe('more')
        }
        const whole = collector()
        expect(whole.add(wholeCompletion(scripted, ABOUT), 'message')).toBe('more')
        expect(streamed.answer()).toEqual(whole.answer())
      }),
      { seed: SEED },
    )
  })

  it('may end its lines in any of the ways there are', async () => {
    for (const line of ['\n', '\r\n', '\r']) {
      const text = [': comment', 'event: x', 'data: a', 'data:b', '', 'data: c', '', ''].join(line)
      for (let cut = 0; cut <= text.length; cut += 1)
        expect(await eventsOf(text, [cut])).toEqual(['a\nb', 'c'])
    }
  })

  it('loses an event that was not ended', async () => {
    expect(await eventsOf('data: a\n\ndata: {"half":')).toEqual(['a'])
  })
})

describe('parts that cannot be put together in one way only', () => {
  it.each([
    [
      'of another model',
      [chunk({ content: 'a' }), chunk({ content: 'b' }, { model: 'other' })],
      'other_model',
    ],
    ['of a model that is not accepted', [chunk({}, { model: 'other' })], 'other_model'],
    ['of two choices', [{ model: 'qwen3', choices: [{ delta: {} }, { delta: {} }] }], 'malformed'],
    ['of no form', [{ model: 'qwen3' }], 'malformed'],
    ['that are no JSON', [undefined], 'malformed'],
    [
      'with arguments that are an object',
      [call({ index: 0, function: { name: 'pay', arguments: { a: 1 } } })],
      'malformed',
    ],
    ['with content that is a list', [chunk({ content: [{ type: 'text', text: 'a' }] })], 'malformed'],
    [
      'of a call whose name changes',
      [
        call({ index: 0, id: 'a', function: { name: 'read', arguments: '' } }),
        call({ index: 0, function: { name: 'pay' } }),
      ],
      'malformed',
    ],
    [
      'of a call whose id changes',
      [
        call({ index: 0, id: 'a', function: { name: 'read' } }),
        call({ index: 0, id: 'b', function: { arguments: '{}' } }),
      ],
      'malformed',
    ],
    ['that tell an error', [{ error: { message: 'overloaded' } }], 'failed'],
    ['without end', [chunk({ content: 'a'.repeat(2_000_001) })], 'too_long'],
    [
      'of more calls than anybody makes',
      Array.from({ length: 129 }, (_, index) => call({ index, function: { name: 'a' } })),
      'too_long',
    ],
  ] as const)('%s are refused', (_, parts, refusal) => {
    const collecting = collector()
    const told = parts.map((part) => collecting.add(part, 'delta'))
    expect(told.at(-1)).toBe(refusal)
  })

  it('but may say before the end that there is no reason to end yet', () => {
    const collecting = collector()
    const parts = ['', 'null', null, 'stop', ''].map((finish_reason) => ({
      model: 'qwen3',
      choices: [{ index: 0, delta: { content: 'a', tool_calls: null }, finish_reason }],
    }))
    const seen = parts.map((part) => [collecting.add(part, 'delta'), collecting.answer().finish])
    expect(seen.map(([, finish]) => finish)).toEqual([null, null, null, 'stop', 'stop'])
  })

  it('but may repeat a name, or leave it empty', () => {
    const collecting = collector()
    collecting.add(call({ index: 0, id: 'a', function: { name: 'pay', arguments: '{"a"' } }), 'delta')
    collecting.add(call({ index: 0, id: '', function: { name: 'pay', arguments: ':1' } }), 'delta')
    expect(collecting.add(call({ index: 0, function: { name: '', arguments: '}' } }), 'delta')).toBe('more')
    expect(collecting.answer().calls).toEqual([{ id: 'a', name: 'pay', arguments: '{"a":1}' }])
  })
})
