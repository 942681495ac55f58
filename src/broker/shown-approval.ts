import { digestOf, taggedDigest } from '../core/canonical-json.ts'
import { approvalDigestOfExact } from '../core/decision/approval-digest.ts'
import { checkArguments } from '../core/decision/check-arguments.ts'
import type { AskReason } from '../core/grant/ask-first.ts'
import { type ActionDescription, type ActionSubject, describeAction } from '../core/grant/describe-action.ts'
import { readPointer } from '../core/json-pointer.ts'
import type { JsonValue } from '../core/json-value.ts'
import { isJsonObject } from '../core/json-value.ts'
import type { LoadedAction } from '../core/manifest/loaded-manifest.ts'
import type { ActionRow, ApprovalRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { openEventPart } from './open-part.ts'
import { userZone } from './user-zone.ts'

/** What will happen in full, in both languages, with the digest that the log keeps of all of it. */
export type ShownApproval = {
  en: ActionDescription
  zh: ActionDescription
  arguments: JsonValue
  amount: ActionSubject['amount']
  recipients: ActionSubject['recipients']
  digest: string
}

/**
 * Describes the exact action an approval is for, from what was decided and sealed. Undefined when that can no longer
 * be opened, or is not what the approval's digest covers: nobody says yes to what cannot be shown (P8).
 */
export async function showAsked(
  broker: Broker,
  approval: ApprovalRow,
  row: ActionRow,
): Promise<ShownApproval | undefined> {
  const body = await openEventPart(broker, row.eventId, 'body')
  if (!isJsonObject(body) || body.arguments === undefined) return undefined
  const { arguments: args } = body
  const preview = await openPreview(broker, approval)
  if (preview === undefined) return undefined
  return broker.store.read((tx) => describeAsked(broker, tx, approval, row, args, preview))
}

/** What the skill answered when it was asked what would happen; null if it was not asked. */
async function openPreview(broker: Broker, approval: ApprovalRow): Promise<JsonValue | undefined> {
  if (approval.previewEventId === null) return null
  const body = await openEventPart(broker, approval.previewEventId, 'body')
  const result = body && readPointer(body, '/result')
  return result !== undefined && digestOf(result) === approval.previewDigest ? result : undefined
}

async function describeAsked(
  broker: Broker,
  tx: Tx,
  approval: ApprovalRow,
  row: ActionRow,
  args: JsonValue,
  preview: JsonValue,
): Promise<ShownApproval | undefined> {
  const agent = await tx.agents.find(row.agentId)
  if (row.manifestDigest === null || !agent) return undefined
  const loaded = await broker.manifests.load(tx, row.manifestDigest)
  const action = loaded.actions.get(row.action)
  if (!action) return undefined
  const checked = checkArguments(action, args)
  const exact = approvalDigestOfExact({
    userId: row.userId,
    agentId: row.agentId,
    skill: row.skillId,
    manifestDigest: row.manifestDigest,
    action: row.action,
    arguments: checked.arguments,
    amount: checked.amount,
    recipients: checked.recipients,
    previewDigest: approval.previewDigest,
  })
  if (checked.faults.length > 0 || exact !== approval.digest) return undefined

  const { amount: sum } = checked
  const amount = sum && { minor: sum.amountMinor, currency: sum.currency }
  const recipients = await resolved(broker, tx, row, checked.recipients)
  const subject: ActionSubject = {
    manifest: loaded.manifest,
    action: action.declared,
    agent: { name: agent.name },
    publisher: { name: loaded.manifest.publisher },
    args: checked.arguments,
    amount,
    repetitions: repetitionsOf(action, checked.arguments),
    recipients,
    reasons: JSON.parse(approval.questions) as AskReason[],
    preview,
    expiresAtMs: approval.expiresAtMs,
    zone: await userZone(tx, row.userId),
  }
  const [en, zh] = [describeAction(subject, 'en'), describeAction(subject, 'zh')]
  const digest = taggedDigest('countersign/v1/approval-shown-in-both', {
    approval: approval.digest,
    en: en.digestInput,
    zh: zh.digestInput,
  })
  return { en, zh, arguments: checked.arguments, amount, recipients, digest }
}

/** Each recipient with the user's own label, and whether this skill was ever permitted to use it. */
async function resolved(
  broker: Broker,
  tx: Tx,
  row: ActionRow,
  values: readonly string[],
): Promise<ActionSubject['recipients']> {
  const saved = await tx.recipients.list(row.userId)
  const recipients: { value: string; label: string | null; isNew: boolean }[] = []
  for (const value of values) {
    const tag = broker.pseudonyms.recipientTag(row.userId, value)
    recipients.push({
      value,
      label: saved.find((recipient) => recipient.value === value)?.label ?? null,
      isNew: !(await tx.recipients.seen(row.userId, row.skillId, tag)),
    })
  }
  return recipients
}

function repetitionsOf(action: LoadedAction, args: JsonValue): number {
  const recurs = action.declared.spends?.recurs
  const times = recurs && readPointer(args, recurs.countPointer)
  return typeof times === 'number' ? times : 1
}
