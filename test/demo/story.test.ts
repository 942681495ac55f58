import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/core/json-value.ts'
import type { ApiAnswer, ApiCaller } from '../../src/demo/api-client.ts'
import type { Narrator } from '../../src/demo/narrator.ts'
import type { Cast } from '../../src/demo/story/cast.ts'
import { tellNoConsent } from '../../src/demo/story/no-consent.ts'
import { tellBeyondLimit } from '../../src/demo/story/order.ts'
import { tellRevoked } from '../../src/demo/story/revoke.ts'
import { StoryFailed } from '../../src/demo/story-failed.ts'

type Answers = Readonly<Record<string, readonly [status: number, body: JsonObject]>>

/** A broker that answers by script, whatever it is asked. */
function callerOf(answers: Answers): ApiCaller {
  const answer = (method: string, path: string): ApiAnswer => {
    const [status, body] = answers[`${method} ${path.split('?')[0]}`] ?? [404, { code: 'not_found' }]
    const code = typeof body.code === 'string' ? body.code : null
    return { method, path, status, code, outcome: null, body }
  }
  return {
    get: async (path) => answer('GET', path),
    put: async (path) => answer('PUT', path),
    post: async (path) => answer('POST', path),
  }
}

function castOf(answers: Answers): { cast: Cast; told: string[] } {
  const told: string[] = []
  const tell = (text = '') => void told.push(text)
  const narrator: Narrator = {
    title: tell,
    step: tell,
    say: tell,
    answer: () => {},
    shown: tell,
    money: tell,
    done: (text) => tell(`done: ${text}`),
    line: tell,
    failed: tell,
  }
  const caller = callerOf(answers)
  const unused = () => {
    throw new Error('not part of this step')
  }
  const cast: Cast = {
    narrator,
    brokerUrl: 'http://127.0.0.1:1',
    operator: caller,
    user: caller,
    agent: caller,
    deployment: 'dep',
    connectAnew: unused,
    coffeeCalls: () => 0,
    auditorToken: unused,
    pay: { current: unused, restart: unused },
  }
  return { cast, told }
}

const REFUSED = [403, { code: 'consent_required', actionId: 'act_1' }] as const
const amount = (heldMinor: number, capturedMinor: number) => ({
  items: [{ amount: { currency: 'CNY', heldMinor, capturedMinor } }],
})
const revocation = (grants: string[]) => ({ revocation: { grants, approvals: [], unsettled: [] } })
const QUOTE = {
  actionId: 'act_1',
  status: 'succeeded',
  amount: null,
  result: { quote_id: 'q_1', total_amount: 17_600 },
}

describe('a step of the story', () => {
  it('is told to its end when the broker does what it says', async () => {
    const { cast, told } = castOf({
      'POST /v1/actions': REFUSED,
      'GET /v1/actions': [200, { items: [] }],
    })
    await tellNoConsent(cast)
    expect(told.at(-1)).toMatch(/^done: /)
  })

  it.each([
    [
      'an action without consent goes through',
      tellNoConsent,
      { 'POST /v1/actions': [200, { status: 'succeeded' }] },
      /needs 403 consent_required/,
    ],
    [
      'it is refused for another reason',
      tellNoConsent,
      { 'POST /v1/actions': [403, { code: 'frozen' }] },
      /answered 403 .*frozen/,
    ],
    [
      'money is held although it was refused',
      tellNoConsent,
      { 'POST /v1/actions': REFUSED, 'GET /v1/actions': [200, amount(1, 0)] },
      /held or spent without consent/,
    ],
    [
      'an order beyond the limit goes through',
      tellBeyondLimit,
      { 'POST /v1/actions': [200, QUOTE] },
      /needs 403 budget_exceeded/,
    ],
    [
      'a grant survives a revocation of everything',
      tellRevoked,
      { 'POST /v1/revocations': [200, revocation(['grt_1', 'grt_2'])] },
      /2 grants were revoked/,
    ],
    [
      'an action goes through after the revocation',
      tellRevoked,
      {
        'POST /v1/revocations': [200, revocation(['grt_1', 'grt_2', 'grt_3'])],
        'POST /v1/actions': [200, QUOTE],
      },
      /needs 403 consent_required/,
    ],
  ] as [string, (cast: Cast) => Promise<unknown>, Answers, RegExp][])(
    'fails when %s',
    async (_name, tell, answers, message) => {
      const { cast, told } = castOf(answers)
      const failure = await tell(cast).catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(StoryFailed)
      expect(String(failure)).toMatch(message)
      expect(told.filter((text) => text.startsWith('done'))).toEqual([])
    },
  )
})
