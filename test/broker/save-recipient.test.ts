import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  listRecipients,
  removeRecipient,
  saveRecipient,
  saveRecipientShape,
} from '../../src/broker/save-recipient.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'

let test: TestBroker
beforeEach(async () => {
  test = await createTestBroker()
})
afterEach(() => test.close())

const MUM = { userId: 'usr_a', label: 'Mum 妈妈', value: 'P-100' }

describe('a saved recipient', () => {
  it('is kept once for its user, with the label the user wrote first', async () => {
    const saved = await saveRecipient(test.broker, MUM)
    expect(saved.kind).toBe('saved')
    expect(await saveRecipient(test.broker, { ...MUM, label: 'The landlord' })).toMatchObject({
      kind: 'already_saved',
      recipient: { label: 'Mum 妈妈' },
    })
    expect((await saveRecipient(test.broker, { ...MUM, userId: 'usr_b' })).kind).toBe('saved')
    expect(await listRecipients(test.broker, { userId: 'usr_a' })).toHaveLength(1)
  })

  it('stands in the part of the leaf that goes first and nowhere else', async () => {
    await saveRecipient(test.broker, MUM)
    const leaf = await test.lastLeaf('recipient')
    expect(leaf).toMatchObject({ outcome: 'saved', parts: ['subj', 'body'] })
    expect(await test.openPart(leaf.eventId, 'body')).toEqual({ label: MUM.label, value: MUM.value })
    expect(JSON.stringify(await test.openPart(leaf.eventId, 'subj'))).not.toContain('P-100')
  })

  it('is removed by its user only', async () => {
    const saved = await saveRecipient(test.broker, MUM)
    const recipientId = saved.kind === 'saved' ? saved.recipient.id : ''
    expect(await removeRecipient(test.broker, { userId: 'usr_b', recipientId })).toEqual({
      kind: 'not_found',
    })
    expect(await removeRecipient(test.broker, { userId: 'usr_a', recipientId })).toEqual({ kind: 'removed' })
    expect(await removeRecipient(test.broker, { userId: 'usr_a', recipientId })).toEqual({
      kind: 'not_found',
    })
    expect((await test.leaves()).map(({ outcome }) => outcome)).toEqual(['saved', 'removed'])
  })

  it('keeps one row when it is saved many times at once', async () => {
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => saveRecipient(test.broker, MUM)))
    expect(outcomes.filter(({ kind }) => kind === 'saved')).toHaveLength(1)
  })

  it.each([
    ['a label with a direction override', { label: 'Mum\u202e' }],
    ['a value with a zero-width space', { value: 'P-\u200b100' }],
    ['a value that two spellings have', { value: 'e\u0301' }],
    ['a value with a line break', { value: 'P-100\n' }],
    ['a blank label', { label: ' ' }],
  ])('is not parsed with %s', (_, change) => {
    expect(saveRecipientShape.safeParse({ label: 'Mum', value: 'P-100', ...change }).success).toBe(false)
  })
})
