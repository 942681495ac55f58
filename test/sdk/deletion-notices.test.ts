import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Hono } from 'hono'
import { describe, expect, it, onTestFinished } from 'vitest'
import { importVerificationKeys } from '../../src/core/execution/compact-jws.ts'
import { verifyAcknowledgement } from '../../src/core/notice/acknowledgement.ts'
import { NOTICE_TYP, type NoticeClaims } from '../../src/core/notice/notice-token.ts'
import { createDeletionNotices, type DeleteMemory } from '../../src/sdk/deletion-notices.ts'
import { handleDeletionNotice, nodeDeletionNotices } from '../../src/sdk/handle-deletion-notice.ts'
import { COFFEE } from '../support/coffee-test.ts'
import { createSkillKey } from '../support/skill-key.ts'
import { createTestSigner } from '../support/test-broker-keys.ts'

const NOW_MS = Date.UTC(2026, 10, 23, 8, 0, 0)
const URL_OF_SKILL = 'https://coffee.example/deletions'
const { signer } = createTestSigner()
const skillKey = createSkillKey()
const runtimeKeys = importVerificationKeys(skillKey.inManifest(COFFEE).runtimeKeys)
let deliveries = 0

function notice(
  changes: Partial<NoticeClaims> = {},
  purpose: 'notice' | 'action' = 'notice',
  typ = NOTICE_TYP,
) {
  deliveries += 1
  const iat = Math.floor(NOW_MS / 1000)
  const claims = {
    iss: 'https://broker.example',
    aud: URL_OF_SKILL,
    sub: 'pairwise-of-alice',
    jti: `delivery-${deliveries}`,
    iat,
    exp: iat + 300,
    ntc: 'ntc_1',
    skl: 'coffee.order',
    rsn: 'revoked',
    cls: 'all',
    due: iat + 86_400,
    lfh: 'A'.repeat(43),
    prm: 'a.b.c',
    ...changes,
  }
  return signer.sign(purpose, { typ }, claims)
}

function skill(deleteMemory: DeleteMemory = async () => ({ status: 'deleted' }), nowMs = () => NOW_MS) {
  return createDeletionNotices(
    {
      issuer: 'https://broker.example',
      url: URL_OF_SKILL,
      keys: { keys: signer.jwks().keys },
      signingKey: skillKey.key,
      now: nowMs,
    },
    deleteMemory,
  )
}

const post = (token: string, contentType = 'application/jwt') => ({
  method: 'POST',
  contentType,
  body: Buffer.from(token),
})
const codeOf = (reply: { body: string }) => JSON.parse(reply.body).error?.code
const answerOf = (token: string, noticeId = 'ntc_1') =>
  verifyAcknowledgement(token, runtimeKeys, {
    issuer: 'https://broker.example',
    noticeId,
    skillId: 'coffee.order',
    userId: 'pairwise-of-alice',
    sentAtMs: NOW_MS,
    nowMs: NOW_MS,
  })

describe('a skill that handles deletion notices', () => {
  it('deletes what the notice names, and signs that it did', async () => {
    const seen: unknown[] = []
    const notices = skill(async ({ userId, scope, reason }) => {
      seen.push({ userId, scope, reason })
      return { status: 'deleted' }
    })
    const token = await notice({ cls: ['order_history'], exe: ['act_1'], upt: 7, rsn: 'expired' })
    const reply = await notices.answer(post(token))
    expect(reply).toMatchObject({ status: 200, headers: { 'content-type': 'application/jwt' } })
    expect(answerOf(reply.body)).toMatchObject({ ok: true, claims: { sts: 'deleted', ntc: 'ntc_1' } })
    expect(seen).toEqual([
      {
        userId: 'pairwise-of-alice',
        scope: { classes: ['order_history'], executions: ['act_1'], untilMs: 7_000 },
        reason: 'expired',
      },
    ])
  })

  it('says why it keeps something, or that it refuses', async () => {
    const kept = await skill(async () => ({ status: 'kept', code: 'tax_law', why: 'Ten years.' })).answer(
      post(await notice()),
    )
    expect(answerOf(kept.body)).toMatchObject({ claims: { sts: 'kept', code: 'tax_law', why: 'Ten years.' } })
    const refused = await skill(async () => ({ status: 'refused', code: 'no' })).answer(post(await notice()))
    expect(answerOf(refused.body)).toMatchObject({ claims: { sts: 'refused', code: 'no' } })
  })

  it('carries a notice out once, however often it is delivered, and answers each delivery', async () => {
    let runs = 0
    const notices = skill(async () => {
      runs += 1
      return { status: 'deleted' }
    })
    const replies = await Promise.all([
      notices.answer(post(await notice())),
      notices.answer(post(await notice())),
    ])
    replies.push(await notices.answer(post(await notice())))
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(runs).toBe(1)
  })

  it('tries again what threw, was put off or refused', async () => {
    const outcomes = ['throw', 'later', 'refused', 'deleted']
    const notices = skill(async () => {
      const next = outcomes.shift()
      if (next === 'throw') throw new Error('the disk is full')
      if (next === 'later') return { status: 'later' }
      if (next === 'refused') return { status: 'refused', code: 'no' }
      return { status: 'deleted' }
    })
    const statuses: number[] = []
    for (let i = 0; i < 4; i += 1) statuses.push((await notices.answer(post(await notice()))).status)
    expect(statuses).toEqual([500, 202, 200, 200])
    expect(outcomes).toEqual([])
  })

  it('carries out nothing for a notice that is not one', async () => {
    const notices = skill(() => {
      throw new Error('must not be called')
    })
    const past = Math.floor(NOW_MS / 1000) - 600
    const tokens: [string, Promise<string>][] = [
      ['wrong_audience', notice({ aud: 'https://other.example/deletions' })],
      ['wrong_issuer', notice({ iss: 'https://other.example' })],
      ['wrong_purpose', notice({}, 'action')],
      ['wrong_type', notice({}, 'notice', 'countersign-action+jwt')],
      ['expired', notice({ iat: past, exp: past + 300 })],
      ['lifetime_too_long', notice({ exp: Math.floor(NOW_MS / 1000) + 301 })],
      [
        'not_yet_valid',
        notice({ iat: Math.floor(NOW_MS / 1000) + 60, exp: Math.floor(NOW_MS / 1000) + 120 }),
      ],
      ['invalid_claims', notice({ cls: [] })],
      ['unknown_key', createTestSigner().signer.sign('notice', { typ: NOTICE_TYP }, {})],
      ['malformed', Promise.resolve('nothing')],
    ]
    for (const [code, token] of tokens) {
      const reply = await notices.answer(post(await token))
      expect([code, reply.status, codeOf(reply)]).toEqual([code, 401, code])
    }
    const changed = (await notice()).replace(/.(?=[^.]*$)/, (letter) => (letter === 'A' ? 'B' : 'A'))
    expect((await notices.answer(post(changed))).status).toBe(401)
    expect(codeOf(await notices.answer(post(await notice(), 'application/json')))).toBe('not_a_notice')
    expect((await notices.answer({ ...post(await notice()), method: 'GET' })).status).toBe(405)
  })

  it('refuses a delivery that came before', async () => {
    const notices = skill()
    const token = await notice()
    expect((await notices.answer(post(token))).status).toBe(200)
    expect(codeOf(await notices.answer(post(token)))).toBe('replayed')
  })

  it('says 503 while it cannot look at keys or replays', async () => {
    const options = {
      issuer: 'https://broker.example',
      url: URL_OF_SKILL,
      signingKey: skillKey.key,
      now: () => NOW_MS,
    }
    const away = createDeletionNotices(
      {
        ...options,
        keys: { url: 'https://broker.example/keys' },
        fetch: async () => new Response(null, { status: 500 }),
      },
      async () => ({ status: 'deleted' }),
    )
    expect(codeOf(await away.answer(post(await notice())))).toBe('keys_unavailable')
    const full = createDeletionNotices(
      {
        ...options,
        keys: { keys: signer.jwks().keys },
        replayStore: {
          remember() {
            throw new Error('full')
          },
        },
      },
      async () => ({ status: 'deleted' }),
    )
    expect(codeOf(await full.answer(post(await notice())))).toBe('replay_store_unavailable')
  })
})

describe('the few lines a skill needs', () => {
  it('are one route of Hono, or of anything that speaks fetch', async () => {
    const notices = skill()
    const app = new Hono().post('/deletions', (c) => handleDeletionNotice(notices, c.req.raw))
    const answer = await app.request('/deletions', {
      method: 'POST',
      headers: { 'content-type': 'application/jwt' },
      body: await notice(),
    })
    expect(answer.status).toBe(200)
    expect(answerOf(await answer.text()).ok).toBe(true)
    const large = await app.request('/deletions', {
      method: 'POST',
      headers: { 'content-type': 'application/jwt' },
      body: 'x'.repeat(70_000),
    })
    expect(large.status).toBe(413)
  })

  it('are one listener of node:http', async () => {
    const server = createServer(nodeDeletionNotices(skill())).listen(0, '127.0.0.1')
    onTestFinished(() => {
      server.close()
    })
    await new Promise((resolve) => server.once('listening', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/deletions`
    const send = async (body: string) =>
      fetch(url, { method: 'POST', headers: { 'content-type': 'application/jwt' }, body })
    const answer = await send(await notice())
    expect(answerOf(await answer.text()).ok).toBe(true)
    expect((await send('x'.repeat(70_000))).status).toBe(413)
  })
})
