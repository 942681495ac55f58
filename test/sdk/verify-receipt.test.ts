import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { performAction } from '../../src/broker/perform-action.ts'
import { type CheckpointPublisher, openCheckpointPublisher } from '../../src/broker/publish-checkpoint.ts'
import { openLogReader } from '../../src/broker/read-log.ts'
import { type ReceiptAsker, receiptFor } from '../../src/broker/receipt.ts'
import { RECEIPT_TYP, type Receipt, type ReceiptClaims } from '../../src/core/execution/receipt.ts'
import { type ReceiptTrust, verifyReceipt } from '../../src/sdk/verify-receipt.ts'
import { openCheckpointRegisterFile } from '../../src/store/checkpoint-register-file.ts'
import { appendLeaves } from '../support/append-leaves.ts'
import { answered, broken } from '../support/fake-skill.ts'
import { type Granted, grantAll, order, SECRET } from '../support/granted-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestBroker, TEST_SETTINGS, type TestBroker } from '../support/test-broker.ts'
import { createTestSigner } from '../support/test-broker-keys.ts'

let test: TestBroker
let alice: Granted
let publisher: CheckpointPublisher
let trust: ReceiptTrust
let paid: string
let receipt: Receipt

beforeAll(async () => {
  test = await createTestBroker()
  test.secrets.set('coffee.order /payment_token', SECRET)
  alice = await grantAll(test.broker, sampleManifest('coffee.order'))
  publisher = openCheckpointPublisher(
    test.broker,
    openCheckpointRegisterFile(join(test.folder, 'register.json')),
  )
  trust = {
    keys: test.signer.jwks().keys,
    vkey: openLogReader(test.broker, publisher).vkey(),
    issuer: TEST_SETTINGS.issuer,
  }
  await appendLeaves(test.broker, 5)
  test.skill.replyNext(answered({ order_id: 'O-1', charged_amount: 90, currency: 'CNY' }))
  paid = await buy()
  await appendLeaves(test.broker, 5)
  await publisher.publishNow()
  receipt = await taken(paid)
})
afterAll(() => test.close())

async function buy(): Promise<string> {
  const asked = alice.ask('order_and_pay', order(100))
  await performAction(test.broker, asked)
  const row = await test.broker.store.read(async (tx) =>
    tx.actions.findByKey(asked.userId, asked.agentId, asked.idempotencyKey),
  )
  return row?.id ?? ''
}
const own = (): ReceiptAsker => ({ kind: 'agent', userId: alice.userId, agentId: alice.agent.id })
const ask = (id: string, asker: ReceiptAsker = own()) => receiptFor(test.broker, publisher, id, asker)
async function taken(id: string): Promise<Receipt> {
  const outcome = await ask(id)
  if (outcome.kind !== 'receipt') throw new Error(outcome.kind)
  return outcome.receipt
}
const codeOf = (received: unknown, more: Partial<ReceiptTrust> = {}) => {
  const verdict = verifyReceipt(received, { ...trust, ...more })
  return verdict.kind === 'refused' ? verdict.code : verdict.kind
}
/** A receipt of the same leaves, signed by whoever is given with whatever is claimed. */
async function signedAnew(change: Partial<ReceiptClaims>, signer = test.signer, typ: string = RECEIPT_TYP) {
  const [, payload = ''] = receipt.receipt.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const jws = await signer.sign('receipt', { typ }, { ...claims, ...change })
  return { ...receipt, receipt: jws }
}

describe('a receipt', () => {
  it('verifies offline, after a trip through JSON', () => {
    const verdict = verifyReceipt(JSON.parse(JSON.stringify(receipt)), trust)
    expect(verdict).toMatchObject({
      kind: 'verified',
      claims: { exe: paid, skl: 'coffee.order', act: 'order_and_pay', sts: 'succeeded', amt: 90, cur: 'CNY' },
      decision: { t: 'decision', d: 'permit' },
      outcome: { t: 'outcome', d: 'succeeded' },
      checkpoint: { treeSize: 12 },
    })
  })

  it('holds no argument, no user and no agent', () => {
    const everything = [
      JSON.stringify(receipt),
      Buffer.from(receipt.decision.leaf, 'base64').toString(),
      Buffer.from(receipt.receipt.split('.')[1] ?? '', 'base64url').toString(),
    ].join()
    for (const secret of [alice.userId, alice.agent.id, 'LK-0571-022', 'Q-1'])
      expect(everything).not.toContain(secret)
  })

  it('is for the agent that asked, its user and operators; others learn nothing', async () => {
    expect((await ask(paid, { kind: 'user', userId: alice.userId })).kind).toBe('receipt')
    expect((await ask(paid, { kind: 'operator' })).kind).toBe('receipt')
    for (const asker of [
      { kind: 'agent', userId: alice.userId, agentId: 'agt_other' },
      { kind: 'agent', userId: 'usr_other', agentId: alice.agent.id },
      { kind: 'user', userId: 'usr_other' },
    ] as const)
      expect(await ask(paid, asker)).toEqual(await ask('act_nobody'))
  })

  it('waits until a published checkpoint covers its newest leaf', async () => {
    test.skill.replyNext(async () => {
      // Between the two leaves: the decision is covered, the outcome is the very next leaf.
      await publisher.publishNow()
      return answered({ order_id: 'O-2', charged_amount: 100, currency: 'CNY' })
    })
    const id = await buy()
    expect(await ask(id)).toEqual({ kind: 'not_yet' })
    await publisher.publishNow()
    expect(codeOf(await taken(id))).toBe('verified')
  })

  it('proves a refusal and what is in doubt, each with its decision alone', async () => {
    test.skill.replyNext(broken('cut'))
    const doubtful = await buy()
    const asked = { ...alice.ask('order_and_pay', order(100)), deploymentId: 'dep_other' }
    const denied = await performAction(test.broker, asked)
    const again = await performAction(test.broker, { ...asked, idempotencyKey: 'another-key' })
    await publisher.publishNow()
    for (const id of [doubtful, denied.kind === 'denied' ? denied.row.id : '']) {
      const found = await taken(id)
      expect(found.outcome).toBeUndefined()
      expect(codeOf(found)).toBe('verified')
    }
    expect((await ask(again.kind === 'denied' ? again.row.id : '')).kind).toBe('only_counted')
  })
})

describe('a receipt that was tampered with', () => {
  const flipped = (base64: string, at: number) => {
    const bytes = Buffer.from(base64, 'base64')
    bytes[at] = (bytes[at] ?? 0) ^ 1
    return bytes.toString('base64')
  }
  const without = (name: 'decision' | 'outcome' | 'receipt' | 'checkpoint') => {
    const { [name]: _, ...rest } = receipt
    return rest
  }

  it('is refused for a changed bit in any byte of either leaf', () => {
    for (const name of ['decision', 'outcome'] as const) {
      const proven = receipt[name]
      if (!proven) throw new Error('no leaf')
      const bytes = Buffer.from(proven.leaf, 'base64').length
      for (let at = 0; at < bytes; at += 1) {
        const leaf = flipped(proven.leaf, at)
        expect(codeOf({ ...receipt, [name]: { ...proven, leaf } })).toBe('leaf_mismatch')
      }
    }
  })

  it('is refused for a changed, missing, added or misplaced step of a proof', () => {
    const { proof, leafIndex } = receipt.decision
    const [first = ''] = proof
    for (const change of [
      { proof: proof.map((hash, i) => (i === 1 ? flipped(hash, 0) : hash)) },
      { proof: proof.slice(1) },
      { proof: [...proof, first] },
      { proof: proof.toReversed() },
      { leafIndex: leafIndex + 1 },
      { leafIndex: 10_000 },
    ])
      expect(codeOf({ ...receipt, decision: { ...receipt.decision, ...change } })).toBe('not_included')
  })

  it('is refused for a changed bit in any part of the signed statement', () => {
    const { receipt: jws } = receipt
    for (let at = 0; at < jws.length; at += 7) {
      if (jws[at] === '.') continue
      const other = jws[at] === 'A' ? 'B' : 'A'
      expect(codeOf({ ...receipt, receipt: jws.slice(0, at) + other + jws.slice(at + 1) })).not.toBe(
        'verified',
      )
    }
  })

  it.each([
    ['another size', (note: string) => note.replace('\n12\n', '\n13\n'), 'bad_signature'],
    [
      'another origin',
      (note: string) => note.replace('broker.example/log\n', 'other.example/log\n'),
      'bad_signature',
    ],
    ['no signature', (note: string) => note.slice(0, note.indexOf('—')), 'malformed_note'],
    ['nothing', () => '', 'malformed_note'],
  ])('is refused with a checkpoint of %s', (_, change, code) => {
    expect(codeOf({ ...receipt, checkpoint: change(receipt.checkpoint) })).toBe(code)
  })

  it('is refused with parts missing, added or exchanged', () => {
    expect(codeOf(without('decision'))).toBe('malformed_receipt')
    expect(codeOf(without('receipt'))).toBe('malformed_receipt')
    expect(codeOf(without('checkpoint'))).toBe('malformed_receipt')
    expect(codeOf(without('outcome'))).toBe('leaf_mismatch')
    expect(codeOf({ ...receipt, jwk: {} })).toBe('malformed_receipt')
    expect(codeOf({ ...receipt, decision: receipt.outcome, outcome: receipt.decision })).toBe('leaf_mismatch')
    expect(codeOf(null)).toBe('malformed_receipt')
  })

  it('is refused when signed by another broker, for another purpose, or as another kind of statement', async () => {
    const stranger = createTestSigner().signer
    expect(codeOf(await signedAnew({}, stranger))).toBe('unknown_key')
    expect(codeOf(await signedAnew({}, test.signer, 'countersign-promise+jwt'))).toBe('wrong_type')
    const byAccessKey = await test.signer.sign('access', { typ: RECEIPT_TYP }, {})
    expect(codeOf({ ...receipt, receipt: byAccessKey })).toBe('wrong_purpose')
  })

  it('is refused with a key of the attacker in its header', async () => {
    const stranger = createTestSigner().signer
    const forged = await signedAnew({}, stranger)
    const [, payload, signature] = forged.receipt.split('.')
    const own = stranger.currentKey('receipt')
    const header = { alg: 'EdDSA', typ: RECEIPT_TYP, kid: own.kid, jwk: own }
    const encoded = Buffer.from(JSON.stringify(header)).toString('base64url')
    expect(codeOf({ ...forged, receipt: `${encoded}.${payload}.${signature}` })).toBe('header_refused')
  })

  it('is refused under the keys of another log or another issuer', async () => {
    const other = createTestSigner().signer
    const vkey = openLogReader({ ...test.broker, signer: other }, publisher).vkey()
    expect(codeOf(receipt, { vkey })).toBe('no_known_signature')
    expect(codeOf(receipt, { vkey: 'nonsense' })).toBe('bad_vkey')
    expect(codeOf(receipt, { issuer: 'https://other.example' })).toBe('other_issuer')
    expect(codeOf(receipt, { keys: [] })).toBe('unknown_key')
  })

  it('shows a broker that signs what its own log does not say', async () => {
    expect(codeOf(await signedAnew({ sts: 'failed' }))).toBe('status_mismatch')
    expect(codeOf(await signedAnew({ sts: 'refused' }))).toBe('status_mismatch')
    expect(codeOf(await signedAnew({ dec: 'A'.repeat(43) }))).toBe('leaf_mismatch')
    expect(codeOf(await signedAnew({ org: 'other.example/log' }))).toBe('wrong_origin')
    expect(codeOf(await signedAnew({ amt: -1 }))).toBe('invalid_claims')
  })
})
