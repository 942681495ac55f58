import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { approveAction } from '../../src/broker/answer-approval.ts'
import type { ActionRequest } from '../../src/broker/authorize-action.ts'
import { confirmGrant } from '../../src/broker/change-grant.ts'
import { checkRegister } from '../../src/broker/check-register.ts'
import { currentEpoch } from '../../src/broker/current-epoch.ts'
import { examineStore } from '../../src/broker/doctor.ts'
import { liftRestore } from '../../src/broker/lift-restore.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { openCheckpointPublisher } from '../../src/broker/publish-checkpoint.ts'
import { listPastLogs, openPastLog } from '../../src/broker/read-past-logs.ts'
import { receiptFor } from '../../src/broker/receipt.ts'
import { revokeAuthority } from '../../src/broker/revoke-authority.ts'
import { takeUpUnsettled } from '../../src/broker/take-up-unsettled.ts'
import { parseEpochLeaf } from '../../src/core/log/epoch-leaf.ts'
import { formatVkey, noteKey } from '../../src/core/merkle/note-key.ts'
import { verifyReceipt } from '../../src/sdk/verify-receipt.ts'
import { openCheckpointRegisterFile } from '../../src/store/checkpoint-register-file.ts'
import { registerFileIn } from '../../src/store/data-files.ts'
import { type CoffeeTest, coffeeSkill, coffeeTest, heldBack, OPERATOR, paid } from '../support/coffee-test.ts'
import { order, SECRET } from '../support/granted-agent.ts'
import { backUp, publish, type RestoredBroker, restoreBeside } from '../support/restored-broker.ts'
import { tempFolder } from '../support/temp-folder.ts'

const HOUR_MS = 3_600_000
const ORIGIN = 'broker.example/log'
const TERMS = {
  budgets: [
    {
      measure: 'amount' as const,
      currency: 'CNY',
      window: { kind: 'rolling' as const, ms: 24 * HOUR_MS },
      limit: 9_000,
    },
  ],
}

let before: CoffeeTest
let restored: RestoredBroker | undefined

beforeEach(async () => {
  before = await coffeeTest(TERMS)
  before.test.skill.replyAlways(coffeeSkill)
})
afterEach(async () => {
  await restored?.close()
  restored = undefined
  await before.test.close()
})

async function openRestored(from: string, options: { freezes?: boolean } = {}): Promise<RestoredBroker> {
  restored = await restoreBeside(before.test, from, join(tempFolder(), 'restored'), options)
  restored.secrets.set('coffee.order /payment_token', SECRET)
  restored.skill.replyAlways(coffeeSkill)
  return restored
}

const again = (request: ActionRequest) => performAction((restored as RestoredBroker).broker, request)
const codeOf = async (request: ActionRequest) => {
  const performed = await again(request)
  return performed.kind === 'denied' ? performed.refusal.code : performed.kind
}
const grantStatus = async () =>
  (await (restored as RestoredBroker).broker.store.read(async (tx) => tx.grants.find(before.alice.grant.id)))
    ?.status

describe('a restored store', () => {
  it('begins a new log, whose first leaf names the last checkpoint of the old one', async () => {
    await before.perform(before.alice.ask('order_and_pay', order(2_000)))
    await publish(before.test)
    const from = await backUp(before.test, join(tempFolder(), 'backup'))
    // The old log goes on after the backup, and its register knows.
    await before.perform(before.alice.ask('order_and_pay', order(1_000)))
    await publish(before.test)
    const old = await before.test.broker.store.treeHead()

    const { broker, done } = await openRestored(from)
    expect(broker.settings.logOrigin).toBe(`${ORIGIN}/2`)
    expect(await broker.store.treeHead()).toMatchObject({ treeSize: 1 })
    const first = await broker.store.read(async (tx) => tx.log.leafAt(0))
    expect(first && parseEpochLeaf(first.leaf)).toMatchObject({
      previousOrigin: ORIGIN,
      published: old,
      held: { treeSize: done.manifest.log.treeSize },
    })
    expect(done.report.published.treeSize).toBeGreaterThan(done.report.held.treeSize)
    expect((await examineStore(broker.store)).faults).toEqual([])
  })

  it('refuses to go on with the old log, and publishes under the new name', async () => {
    await before.perform(before.alice.ask('order_and_pay', order(2_000)))
    await publish(before.test)
    const { broker, folder } = await openRestored(await backUp(before.test, join(tempFolder(), 'backup')))
    const old = openCheckpointRegisterFile(registerFileIn(folder, 1))
    const asOld = { ...broker, settings: { ...broker.settings, logOrigin: ORIGIN } }
    expect((await checkRegister(asOld, old)).kind).toBe('log_behind')
    const own = openCheckpointRegisterFile(registerFileIn(folder, await currentEpoch(broker)))
    expect(await checkRegister(broker, own)).toEqual({ kind: 'ok' })
    const { note } = await openCheckpointPublisher(broker, own).publishNow()
    expect(note.split('\n')[0]).toBe(`${ORIGIN}/2`)
    expect((await own.read())?.treeSize).toBe(1)
  })

  it('keeps the old leaves readable under the old name, and proves them in receipts', async () => {
    const done = await before.perform(before.alice.ask('order_and_pay', order(2_000)))
    if (done.kind !== 'done') throw new Error(done.kind)
    const note = await publish(before.test)
    const tile = await before.test.broker.store.read(async (tx) => tx.log.leafHashes(0, 256))
    const { broker, signer } = await openRestored(await backUp(before.test, join(tempFolder(), 'backup')))

    const [ended] = await listPastLogs(broker)
    expect(ended).toMatchObject({ epoch: 1, origin: ORIGIN, treeSize: tile.length })
    const past = await openPastLog(broker, 1)
    expect(past?.checkpoint()).toBe(note)
    expect(await past?.tile(0, 0, tile.length)).toMatchObject({ kind: 'found', bytes: Buffer.concat(tile) })
    expect(await openPastLog(broker, 2)).toBeUndefined()

    const register = openCheckpointRegisterFile(registerFileIn((restored as RestoredBroker).folder, 2))
    const publisher = openCheckpointPublisher(broker, register)
    await publisher.publishNow()
    const receipt = await receiptFor(broker, publisher, done.view.row.id, { kind: 'operator' })
    if (receipt.kind !== 'receipt') throw new Error(receipt.kind)
    const trust = {
      keys: signer.jwks().keys,
      vkey: formatVkey(noteKey(`${ORIGIN}/2`, Buffer.from(signer.currentKey('log').x, 'base64url'))),
      issuer: broker.settings.issuer,
    }
    expect(verifyReceipt(receipt.receipt, trust)).toMatchObject({
      kind: 'verified',
      decision: { d: 'permit' },
    })

    // Without the chain, or with another leaf in it, nothing is proven.
    const { epochs = [], ...bare } = receipt.receipt.decision
    expect(epochs).toHaveLength(1)
    expect(verifyReceipt({ ...receipt.receipt, decision: bare }, trust)).toMatchObject({
      code: 'not_included',
    })
    const forged = { ...bare, epochs: [{ ...epochs[0], leaf: bare.leaf }] }
    expect(verifyReceipt({ ...receipt.receipt, decision: forged }, trust)).toMatchObject({
      kind: 'refused',
      code: 'not_included',
    })
  })

  it('can be backed up and restored again, and proves what is two logs back', async () => {
    const done = await before.perform(before.alice.ask('order_and_pay', order(2_000)))
    if (done.kind !== 'done') throw new Error(done.kind)
    await publish(before.test)
    const once = await openRestored(await backUp(before.test, join(tempFolder(), 'backup')))
    await publish(once, 2)
    const from = await backUp(once, join(tempFolder(), 'backup'))
    const twice = await restoreBeside(once, from, join(tempFolder(), 'twice'), {
      registers: ['checkpoint-register.json', 'checkpoint-register.2.json'],
    })
    try {
      expect(twice.broker.settings.logOrigin).toBe(`${ORIGIN}/3`)
      expect((await examineStore(twice.broker.store)).faults).toEqual([])
      const register = openCheckpointRegisterFile(registerFileIn(twice.folder, 3))
      const publisher = openCheckpointPublisher(twice.broker, register)
      await publisher.publishNow()
      const receipt = await receiptFor(twice.broker, publisher, done.view.row.id, { kind: 'operator' })
      if (receipt.kind !== 'receipt') throw new Error(receipt.kind)
      expect(receipt.receipt.decision.epochs).toHaveLength(2)
      const key = noteKey(`${ORIGIN}/3`, Buffer.from(twice.signer.currentKey('log').x, 'base64url'))
      const trust = {
        keys: twice.signer.jwks().keys,
        vkey: formatVkey(key),
        issuer: 'https://broker.example',
      }
      expect(verifyReceipt(receipt.receipt, trust).kind).toBe('verified')
    } finally {
      await twice.close()
    }
  })

  it('never begins two logs of one name from one backup', async () => {
    await publish(before.test)
    const from = await backUp(before.test, join(tempFolder(), 'backup'))
    const once = await openRestored(from)
    await publish(once, 2)
    const other = await restoreBeside(once, from, join(tempFolder(), 'other'), {
      registers: ['checkpoint-register.2.json'],
    })
    try {
      expect(other.broker.settings.logOrigin).toBe(`${ORIGIN}/3`)
      expect(await currentEpoch(other.broker)).toBe(3)
      expect((await examineStore(other.broker.store)).faults).toEqual([])
    } finally {
      await other.close()
    }
  })
})

describe('what a restored store has forgotten', () => {
  it('does not revive a grant that was revoked after the backup', async () => {
    await publish(before.test)
    const from = await backUp(before.test, join(tempFolder(), 'backup'))
    await revokeAuthority(
      before.test.broker,
      { userId: before.alice.userId, scope: { kind: 'everything' } },
      async () => [],
    )
    await publish(before.test)
    await openRestored(from)
    expect(await grantStatus()).toBe('suspended')
    expect(await codeOf(before.alice.ask('order_and_pay', order(100)))).toBe('consent_suspended')
    expect(restored?.skill.calls).toHaveLength(0)
  })

  it('lets a grant go on after its user said yes once more, but no window that holds forgotten time', async () => {
    await publish(before.test)
    const { broker, clock } = await openRestored(await backUp(before.test, join(tempFolder(), 'backup')))
    const { userId, grant } = before.alice
    expect(await confirmGrant(broker, { userId: 'usr_other', grantId: grant.id })).toEqual({
      kind: 'not_found',
    })
    expect(await confirmGrant(broker, { userId, grantId: grant.id })).toMatchObject({
      kind: 'changed',
      isNew: true,
    })
    expect(await confirmGrant(broker, { userId, grantId: grant.id })).toMatchObject({
      kind: 'changed',
      isNew: false,
    })
    expect(await codeOf(before.alice.ask('order_and_pay', order(100)))).toBe('budget_exceeded')
    clock.advance(24 * HOUR_MS - 1)
    expect(await codeOf(before.alice.ask('order_and_pay', order(100)))).toBe('budget_exceeded')
    clock.advance(1)
    expect(await codeOf(before.alice.ask('order_and_pay', order(100)))).toBe('done')
    expect((await examineStore(broker.store)).faults).toEqual([])
  })

  it('takes no yes that was given before, and revives none that was used after the backup', async () => {
    const alice = before.alice
    await before.test.broker.store.transaction(async (tx) => {
      const terms = { ...JSON.parse(alice.grant.terms), askFirst: [{ kind: 'always' }] }
      await tx.grants.update({ ...alice.grant, terms: JSON.stringify(terms), revision: 2 })
    })
    const request = alice.ask('order_and_pay', order(500), 'asked-before')
    const asked = await before.perform(request)
    if (asked.kind !== 'ask') throw new Error(asked.kind)
    await approveAction(before.test.broker, { userId: alice.userId, approvalId: asked.approval.id })
    await publish(before.test)
    const from = await backUp(before.test, join(tempFolder(), 'backup'))
    expect((await before.perform(request)).kind).toBe('done')

    const { broker, skill, clock } = await openRestored(from)
    const approval = await broker.store.read(async (tx) => tx.approvals.find(asked.approval.id))
    expect(approval?.status).toBe('withdrawn')
    await confirmGrant(broker, { userId: alice.userId, grantId: alice.grant.id })
    clock.advance(24 * HOUR_MS)
    expect((await again(request)).kind).toBe('ask')
    // What it would cost is looked at to ask; nothing is ordered.
    expect(skill.calls.filter(({ endpoint }) => !endpoint.endsWith('/quotes/show'))).toHaveLength(0)
  })

  it('leaves what was on its way in doubt, and keeps keys that were used', async () => {
    const gate = heldBack(paid(700))
    before.test.skill.replyAlways(gate.reply)
    const request = before.alice.ask('order_and_pay', order(700), 'on-its-way')
    const running = before.perform(request)
    await gate.called
    await publish(before.test)
    const from = await backUp(before.test, join(tempFolder(), 'backup'))
    gate.open()
    const done = await running
    if (done.kind !== 'done') throw new Error(done.kind)

    const { broker } = await openRestored(from)
    expect(await takeUpUnsettled(broker)).toBe(1)
    const row = await broker.store.read(async (tx) => tx.actions.find(done.view.row.id))
    expect(row).toMatchObject({ status: 'in_doubt', heldMinor: 700 })
    expect(await codeOf({ ...request, arguments: order(701) })).toBe('key_conflict')
    expect((await examineStore(broker.store)).faults).toEqual([])
  })

  it('does not open what was sealed under a cell that was destroyed after the backup', async () => {
    const done = await before.perform(before.alice.ask('order_and_pay', order(2_000)))
    if (done.kind !== 'done' || done.view.row.eventId === null) throw new Error(done.kind)
    const { eventId } = done.view.row
    await publish(before.test)
    const from = await backUp(before.test, join(tempFolder(), 'backup'))
    const parts = await before.test.broker.store.read(async (tx) => tx.log.parts(eventId))
    const body = parts.find(({ part }) => part === 'body')
    await before.test.broker.cells.destroy([body?.cellId ?? ''])

    const { broker, done: report, openPart } = await openRestored(from)
    expect(report.report.erasedParts).toBeGreaterThan(0)
    expect(await openPart(eventId, 'body')).toBeUndefined()
    const left = await broker.store.read(async (tx) => tx.log.parts(eventId))
    // Of the body there is only left that it was there.
    expect(
      left
        .filter(({ sealed }) => sealed.length > 0)
        .map(({ part }) => part)
        .sort(),
    ).toEqual(['core', 'subj'])
    expect(left.length).toBe(3)
    expect((await examineStore(broker.store)).faults).toEqual([])
  })

  it('stands still as a whole until an operator has looked, unless told not to', async () => {
    await publish(before.test)
    const from = await backUp(before.test, join(tempFolder(), 'backup'))
    await openRestored(from, { freezes: true })
    expect(await codeOf(before.alice.ask('order_and_pay', order(100)))).toBe('frozen')
  })
})

describe('an operator who knows what happened after the backup', () => {
  it('lifts it for one user, with a reason, as a leaf', async () => {
    await publish(before.test)
    const test = await openRestored(await backUp(before.test, join(tempFolder(), 'backup')))
    const { userId, grant } = before.alice
    const lifted = await liftRestore(test.broker, { ...OPERATOR, userId })
    expect(lifted).toEqual({ kind: 'lifted', grants: [grant.id], debts: [] })
    expect(await codeOf(before.alice.ask('order_and_pay', order(100)))).toBe('done')
    const leaf = await test.lastLeaf('operator')
    expect(leaf).toMatchObject({ outcome: 'restore_lifted' })
    expect(await test.openPart(leaf.eventId, 'subj')).toMatchObject({
      user: userId,
      operator: OPERATOR.operatorId,
    })
    expect(await liftRestore(test.broker, { ...OPERATOR, userId })).toEqual({ kind: 'nothing_forgotten' })
  })

  it('says why, and names somebody who is there', async () => {
    const { broker } = await publish(before.test).then(() => before.test)
    expect(await liftRestore(broker, { ...OPERATOR, userId: before.alice.userId })).toEqual({
      kind: 'nothing_forgotten',
    })
    const test = await openRestored(await backUp(before.test, join(tempFolder(), 'backup')))
    expect(await liftRestore(test.broker, { ...OPERATOR, userId: 'usr_nobody' })).toEqual({
      kind: 'user_unknown',
    })
    const wordless = { ...OPERATOR, reason: '', userId: before.alice.userId }
    expect(await liftRestore(test.broker, wordless)).toMatchObject({ kind: 'reason_refused' })
    expect(await grantStatus()).toBe('suspended')
  })
})
