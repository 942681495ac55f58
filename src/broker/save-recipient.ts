import { z } from 'zod'
import type { SavedRecipientRow } from '../ports/rows.ts'
import type { Broker } from './broker.ts'
import { type LeafSealer, sealerFor } from './leaf-sealer.ts'
import { plainText } from './plain-text.ts'
import { type RecoveredRecently, recoveredRecently } from './recovered-recently.ts'

/** Decisions that look at saved recipients read all of them. */
const RECIPIENTS_MOST = 500

export const saveRecipientShape = z.strictObject({
  /** The user's own words: what a publisher or an agent calls somebody is never shown as a label. */
  label: plainText(80),
  /** The value itself as skills get it: an address, an account, a phone number. */
  value: plainText(320),
})

export type SaveRecipient = z.infer<typeof saveRecipientShape> & { userId: string }

export type RecipientSaved =
  | { kind: 'saved'; recipient: SavedRecipientRow }
  | { kind: 'already_saved'; recipient: SavedRecipientRow }
  | { kind: 'too_many_recipients' }
  | RecoveredRecently

/** Keeps a recipient that grants may be limited to. One value has one label; to rename it, remove it first. */
export async function saveRecipient(broker: Broker, input: SaveRecipient): Promise<RecipientSaved> {
  const seal = await sealerFor(broker, { userId: input.userId, skillId: '' })
  return broker.store.transaction(async (tx) => {
    const rows = await tx.recipients.list(input.userId)
    const same = rows.find((row) => row.value === input.value)
    if (same) return { kind: 'already_saved', recipient: same }
    if (await recoveredRecently(tx, input.userId)) return { kind: 'recovered_recently' }
    if (rows.length >= RECIPIENTS_MOST) return { kind: 'too_many_recipients' }
    const recipient: SavedRecipientRow = {
      id: broker.newId('recipient'),
      userId: input.userId,
      label: input.label,
      value: input.value,
      createdAtMs: tx.nowMs,
    }
    await tx.recipients.insert(recipient)
    await tx.log.append(recipientLeaf(seal, 'saved', recipient, tx.nowMs), tx.nowMs)
    return { kind: 'saved', recipient }
  }, input)
}

/** Forgets a recipient. Grants that are limited to saved ones no longer reach it. */
export async function removeRecipient(
  broker: Broker,
  input: { userId: string; recipientId: string },
): Promise<{ kind: 'removed' } | { kind: 'not_found' }> {
  const seal = await sealerFor(broker, { userId: input.userId, skillId: '' })
  return broker.store.transaction(async (tx) => {
    const rows = await tx.recipients.list(input.userId)
    const recipient = rows.find((row) => row.id === input.recipientId)
    if (!recipient) return { kind: 'not_found' }
    await tx.recipients.remove(input.userId, recipient.id)
    await tx.log.append(recipientLeaf(seal, 'removed', recipient, tx.nowMs), tx.nowMs)
    return { kind: 'removed' }
  }, input)
}

export function listRecipients(broker: Broker, input: { userId: string }): Promise<SavedRecipientRow[]> {
  return broker.store.read(async (tx) => tx.recipients.list(input.userId))
}

/** Label and value stand in the part that goes first, and nowhere else. */
function recipientLeaf(seal: LeafSealer, outcome: string, row: SavedRecipientRow, nowMs: number) {
  return seal(
    {
      type: 'recipient',
      outcome,
      reason: 'by_user',
      subj: { user: row.userId, recipient: row.id },
      body: { label: row.label, value: row.value },
    },
    nowMs,
  )
}
