import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deliverDueNotices } from '../../src/broker/deliver-notices.ts'
import { sealerFor } from '../../src/broker/leaf-sealer.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { queueSkillNotice } from '../../src/broker/queue-skill-notice.ts'
import { openLogReader } from '../../src/broker/read-log.ts'
import {
  DELETION_RECEIPT_TYP,
  type DeletionReceipt,
  type DeletionReceiptClaims,
} from '../../src/core/notice/deletion-receipt.ts'
import type { SkillCall } from '../../src/ports/skill-caller.ts'
import { type DeletionReceiptTrust, verifyDeletionReceipt } from '../../src/sdk/verify-deletion-receipt.ts'
import { acknowledgement, DELETING, deletingSkill, jwt } from '../support/deletion-skill.ts'
import { answered } from '../support/fake-skill.ts'
import { type Granted, grantAll, order, SECRET } from '../support/granted-agent.ts'
import { createSkillKey } from '../support/skill-key.ts'
import { createTestApp, type TestApp } from '../support/test-app.ts'

const DAY_MS = 86_400_000
let app: TestApp
let alice: Granted
let user: string
let key: ReturnType<typeof createSkillKey>

beforeEach(async () => {
  app = await createTestApp()
  app.secrets.set('coffee.order /payment_token', SECRET)
  key = createSkillKey()
  alice = await grantAll(app.broker, key.inManifest(DELETING))
  user = await app.tokenFor({ kind: 'user', userId: alice.userId })
  app.skill.replyAlways(deletingSkill((call) => said(call)))
})
afterEach(() => app.close())

const said = (call: SkillCall, changes = {}) =>
  jwt(acknowledgement(key.key, call, app.clock.nowMs(), changes))
const get = (path: string, token = user) => app.call('GET', path, { token })
const deliver = () => deliverDueNotices(app.broker, () => 0.5)
const pay = () => performAction(app.broker, alice.ask('order_and_pay', order(100)))

/** A coffee, and then a notice about all of it. @returns the notice's id. */
async function buyAndTell(): Promise<string> {
  await pay()
  const { userId } = alice
  const seal = await sealerFor(app.broker, { userId, skillId: '' })
  const [queued] = await app.broker.store.transaction(
    (tx) =>
      queueSkillNotice(app.broker, tx, seal, { userId, scope: { kind: 'everything' }, reason: 'revoked' }),
    { userId },
  )
  if (!queued) throw new Error('nothing was queued')
  return queued.id
}

async function receiptOf(id: string): Promise<DeletionReceipt> {
  await app.publisher.publishNow()
  const answer = await get(`/v1/deletion-notices/${id}/receipt`)
  expect(answer.status).toBe(200)
  return answer.body as DeletionReceipt
}

function trust(more: Partial<DeletionReceiptTrust> = {}): DeletionReceiptTrust {
  return {
    keys: app.keys.jwks().keys,
    vkey: openLogReader(app.broker, app.publisher).vkey(),
    issuer: app.broker.settings.issuer,
    runtimeKeys: key.inManifest(DELETING).runtimeKeys,
    ...more,
  }
}

const codeOf = (receipt: unknown, more: Partial<DeletionReceiptTrust> = {}) => {
  const verdict = verifyDeletionReceipt(receipt, trust(more))
  return verdict.kind === 'refused' ? verdict.code : verdict.kind
}

async function signedAnew(receipt: DeletionReceipt, change: Partial<DeletionReceiptClaims>) {
  const [, payload = ''] = receipt.receipt.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const jws = await app.keys.sign('receipt', { typ: DELETION_RECEIPT_TYP }, { ...claims, ...change })
  return { ...receipt, receipt: jws }
}

describe('what a user sees of deletion notices', () => {
  it('is what was asked of whom, and what the skill said, newest first and page by page', async () => {
    const first = await buyAndTell()
    app.skill.replyAlways(
      deletingSkill((call) => said(call, { sts: 'kept', code: 'tax_law', why: 'Ten years.' })),
    )
    await deliver()
    app.clock.advance(1_000)
    const second = await buyAndTell()
    const page = await get('/v1/deletion-notices?limit=1')
    expect(page.body).toMatchObject({
      items: [{ noticeId: second, state: 'open', classes: 'all', skill: 'coffee.order', isOverdue: false }],
    })
    const rest = await get(`/v1/deletion-notices?limit=1&cursor=${page.body.nextCursor}`)
    expect(rest.body).toMatchObject({ items: [{ noticeId: first, state: 'kept' }], nextCursor: null })
    const one = await get(`/v1/deletion-notices/${first}`)
    expect(one.body).toMatchObject({ answerCode: 'tax_law', why: 'Ten years.', isSuspending: false })
  })

  it('is in what they export about themselves, with what each skill may keep', async () => {
    const id = await buyAndTell()
    const [person] = (await get('/v1/me/export')).body.items as [Record<string, { id?: string }[]>]
    expect(person.deletionNotices?.map((row) => row.id)).toEqual([id])
    expect(person.skillDuties).toHaveLength(2)
  })

  it('is nobody else’s to see', async () => {
    const id = await buyAndTell()
    const bob = await app.tokenFor({ kind: 'user', userId: app.broker.newId('user') })
    for (const path of [`/v1/deletion-notices/${id}`, `/v1/deletion-notices/${id}/receipt`])
      expect([(await get(path, bob)).status, (await get(path, bob)).body.code]).toEqual([404, 'not_found'])
    expect((await get('/v1/deletion-notices', bob)).body.items).toEqual([])
  })
})

describe('a deletion receipt', () => {
  it('verifies offline that it was asked, sent and acknowledged, with the skill’s own signature', async () => {
    const id = await buyAndTell()
    await deliver()
    const receipt = await receiptOf(id)
    const verdict = verifyDeletionReceipt(JSON.parse(JSON.stringify(receipt)), trust())
    expect(verdict).toMatchObject({
      kind: 'verified',
      claims: { ntc: id, skl: 'coffee.order', rsn: 'revoked', sts: 'deleted', ovd: false, try: 1 },
      queued: { t: 'notice', d: 'queued' },
      sent: { d: 'sent' },
      answered: { d: 'acknowledged', r: 'deleted' },
      acknowledgement: { ntc: id, sts: 'deleted' },
    })
    expect(JSON.stringify(receipt)).not.toContain(alice.userId)
  })

  it('says so, too, that nothing was acknowledged', async () => {
    const id = await buyAndTell()
    app.skill.replyAlways(deletingSkill(() => answered({ status: 'deleted' })))
    await deliver()
    app.clock.advance(DAY_MS)
    await deliver()
    user = await app.tokenFor({ kind: 'user', userId: alice.userId })
    const verdict = verifyDeletionReceipt(await receiptOf(id), trust())
    expect(verdict).toMatchObject({
      kind: 'verified',
      claims: { sts: 'open', ovd: true, try: 2 },
      answered: undefined,
      acknowledgement: undefined,
    })
  })

  it('comes once a checkpoint covers it', async () => {
    const id = await buyAndTell()
    const answer = await get(`/v1/deletion-notices/${id}/receipt`)
    expect([answer.status, answer.body.code]).toEqual([409, 'receipt_not_yet'])
  })

  it('is worth nothing once anything of it was changed', async () => {
    const id = await buyAndTell()
    await deliver()
    const receipt = await receiptOf(id)
    const { sent, answered: last, acknowledgement: word } = receipt
    if (!sent || !last || !word) throw new Error('incomplete')
    expect(codeOf(receipt)).toBe('verified')
    expect(codeOf({ ...receipt, sent: undefined })).toBe('leaf_mismatch')
    expect(codeOf({ ...receipt, answered: sent })).toBe('leaf_mismatch')
    expect(
      codeOf({ ...receipt, queued: { ...receipt.queued, leafIndex: receipt.queued.leafIndex + 1 } }),
    ).toBe('not_included')
    expect(codeOf({ ...receipt, acknowledgement: `${word}A` })).toBe('acknowledgement_mismatch')
    expect(codeOf(receipt, { issuer: 'https://other.example' })).toBe('other_issuer')
    expect(codeOf(receipt, { runtimeKeys: createSkillKey().inManifest(DELETING).runtimeKeys })).toBe(
      'acknowledgement_refused',
    )
    expect(codeOf({ ...receipt, receipt: `${receipt.receipt}A` })).toBe('bad_signature')
  })

  it('that the broker signs against its own log is refused', async () => {
    const id = await buyAndTell()
    app.skill.replyAlways(deletingSkill((call) => said(call, { sts: 'refused', code: 'no' })))
    await deliver()
    const receipt = await receiptOf(id)
    expect(codeOf(receipt)).toBe('verified')
    expect(codeOf(await signedAnew(receipt, { sts: 'deleted' }))).toBe('status_mismatch')
    expect(codeOf(await signedAnew(receipt, { rsn: 'erased' }))).toBe('status_mismatch')
  })
})

describe('what operators see and do', () => {
  it('is what is overdue or refused, without a person, until it is settled with a reason', async () => {
    const id = await buyAndTell()
    const operator = await app.tokenFor({ kind: 'operator', operatorId: 'opr_1' })
    const list = () => get('/v1/operator/deletion-notices', operator)
    const settle = (reason = 'the publisher has shown us the deletion') =>
      app.call('POST', `/v1/operator/deletion-notices/${id}/settle`, { token: operator, body: { reason } })
    expect((await list()).body.items).toEqual([])
    expect((await settle()).body.code).toBe('notice_ended')
    app.skill.replyAlways(deletingSkill((call) => said(call, { sts: 'refused', code: 'no' })))
    await deliver()
    const listed = await list()
    expect(listed.body.items).toMatchObject([{ noticeId: id, state: 'refused', isSuspending: true }])
    expect(JSON.stringify(listed.body)).not.toMatch(/usr_|agt_|grt_/)
    expect(await pay()).toMatchObject({ kind: 'denied', refusal: { code: 'deletion_overdue' } })
    expect((await settle('no')).status).toBe(422)
    expect((await settle()).status).toBe(204)
    expect((await settle()).body.code).toBe('notice_ended')
    expect((await pay()).kind).toBe('done')
    expect((await get(`/v1/deletion-notices/${id}`)).body).toMatchObject({ state: 'settled', why: null })
    expect(codeOf(await receiptOf(id))).toBe('verified')
    expect(await app.lastLeaf('notice')).toMatchObject({ outcome: 'settled', reason: 'by_operator' })
  })
})
