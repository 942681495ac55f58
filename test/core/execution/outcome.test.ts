import { describe, expect, it } from 'vitest'
import { classifyOutcome, type OutcomeInput, type ReplyFacts } from '../../../src/core/execution/outcome.ts'
import type { Effect } from '../../../src/core/manifest/manifest.ts'

const REFUSAL = { statuses: [402, 409], codePointer: '/error/code' }

function answered(status: number, body: string, contentType = 'application/json'): ReplyFacts {
  return { kind: 'answered', status, contentType, body: Buffer.from(body) }
}

function classify(
  reply: ReplyFacts,
  effects: Effect[] = ['spend'],
  refusal: OutcomeInput<unknown>['refusal'] = REFUSAL,
) {
  return classifyOutcome({
    reply,
    effects,
    refusal,
    parse(bytes) {
      try {
        return { value: JSON.parse(Buffer.from(bytes).toString()) }
      } catch {
        return undefined
      }
    },
    checkResult: (value) =>
      typeof value === 'object' && value !== null && 'id' in value ? { ok: true, value } : { ok: false },
  })
}

const DOUBT = { kind: 'in_doubt', askAgain: false }

describe('classifyOutcome', () => {
  it.each([
    [
      'a request that never left',
      { kind: 'not_sent', code: 'dns_failed' },
      { kind: 'failed_before_effect', code: 'dns_failed' },
    ],
    ['a time-out', { kind: 'broken', code: 'timed_out' }, { ...DOUBT, reason: 'timed_out' }],
    ['a cut', { kind: 'broken', code: 'cut' }, { ...DOUBT, reason: 'cut' }],
    ['a redirect', { kind: 'broken', code: 'redirect' }, { ...DOUBT, reason: 'redirect' }],
    ['an oversize answer', { kind: 'broken', code: 'oversize' }, { ...DOUBT, reason: 'oversize' }],

    [
      '202 with a result that would fit',
      answered(202, '{"id":"o1"}'),
      { kind: 'in_doubt', reason: 'accepted', askAgain: true },
    ],
    ['202 without a body', answered(202, '', ''), { kind: 'in_doubt', reason: 'accepted', askAgain: true }],

    [
      '200 with a result that fits',
      answered(200, '{"id":"o1"}'),
      { kind: 'succeeded', result: { id: 'o1' } },
    ],
    [
      '201 with a result that fits',
      answered(201, '{"id":"o1"}'),
      { kind: 'succeeded', result: { id: 'o1' } },
    ],
    [
      '200 with a result that does not fit',
      answered(200, '{}'),
      { ...DOUBT, reason: 'wrong_shape', status: 200 },
    ],
    [
      '200 that only looks like a refusal',
      answered(200, '{"error":{"code":"sold_out"}}'),
      { ...DOUBT, reason: 'wrong_shape', status: 200 },
    ],
    ['200 with half a result', answered(200, '{"id":'), { ...DOUBT, reason: 'not_json', status: 200 }],
    [
      '200 with a result called text',
      answered(200, '{"id":"o1"}', 'text/html'),
      { ...DOUBT, reason: 'not_json', status: 200 },
    ],
    ['204', answered(204, '', ''), { ...DOUBT, reason: 'not_json', status: 204 }],

    [
      'a declared refusal',
      answered(409, '{"error":{"code":"sold_out"}}'),
      { kind: 'refused', skillCode: 'sold_out' },
    ],
    [
      'the other declared refusal',
      answered(402, '{"error":{"code":"card.declined"}}'),
      { kind: 'refused', skillCode: 'card.declined' },
    ],
    [
      'a refusal without its code',
      answered(409, '{"error":{}}'),
      { ...DOUBT, reason: 'wrong_shape', status: 409 },
    ],
    [
      'a refusal whose code is a sentence',
      answered(409, '{"error":{"code":"Sorry, we are closed"}}'),
      { ...DOUBT, reason: 'wrong_shape', status: 409 },
    ],
    [
      'a refusal whose code is not text',
      answered(409, '{"error":{"code":7}}'),
      { ...DOUBT, reason: 'wrong_shape', status: 409 },
    ],
    [
      'a refusal whose code is inherited',
      answered(409, '{"error":"code"}'),
      { ...DOUBT, reason: 'wrong_shape', status: 409 },
    ],
    [
      'a refusal from a proxy in HTML',
      answered(409, '<html>', 'text/html'),
      { ...DOUBT, reason: 'not_json', status: 409 },
    ],
    [
      'a status that is not declared',
      answered(404, '{"error":{"code":"x"}}'),
      { ...DOUBT, reason: 'unexpected_status', status: 404 },
    ],
    [
      '500 in the shape of a refusal',
      answered(500, '{"error":{"code":"x"}}'),
      { ...DOUBT, reason: 'unexpected_status', status: 500 },
    ],
    ['503', answered(503, ''), { ...DOUBT, reason: 'unexpected_status', status: 503 }],
  ] as const)('makes of %s what it proves', (_, reply, expected) => {
    expect(classify(reply)).toEqual(expected)
  })

  it('takes no status of 500 and above for a refusal, whatever a manifest declares', () => {
    const refusal = { statuses: [200, 503], codePointer: '/error/code' }
    const reply = answered(503, '{"error":{"code":"x"}}')
    expect(classify(reply, ['spend'], refusal)).toMatchObject({
      kind: 'in_doubt',
      reason: 'unexpected_status',
    })
  })

  it('reads a pointer with escapes and through own members only', () => {
    const refusal = { statuses: [409], codePointer: '/a~1b/~0' }
    expect(classify(answered(409, '{"a/b":{"~":"no"}}'), ['spend'], refusal)).toEqual({
      kind: 'refused',
      skillCode: 'no',
    })
    const inherited = { statuses: [409], codePointer: '/constructor/name' }
    expect(classify(answered(409, '{}'), ['spend'], inherited)).toMatchObject({ kind: 'in_doubt' })
  })

  it.each([
    [['spend'], 'in_doubt'],
    [['physical'], 'in_doubt'],
    [['authority'], 'in_doubt'],
    [['read', 'spend'], 'in_doubt'],
    [[], 'in_doubt'],
    [['read'], 'failed'],
    [['state-change'], 'failed'],
    [['egress', 'read'], 'failed'],
  ] as const)('leaves an unclear answer to an action with effects %j %s', (effects, kind) => {
    expect(classify({ kind: 'broken', code: 'cut' }, [...effects])).toMatchObject({ kind })
    expect(classify(answered(500, ''), [...effects])).toMatchObject({ kind })
  })
})
