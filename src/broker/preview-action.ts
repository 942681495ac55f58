import { digestOf } from '../core/canonical-json.ts'
import { readPointer, setPointer } from '../core/json-pointer.ts'
import type { JsonValue } from '../core/json-value.ts'
import type { LoadedManifest } from '../core/manifest/loaded-manifest.ts'
import type { Companion } from '../core/manifest/manifest.ts'
import type { ApprovalRow } from '../ports/rows.ts'
import { approvalDigestOf } from './action-row.ts'
import { type ActionRequest, type Authorization, authorizeAction } from './authorize-action.ts'
import type { Broker } from './broker.ts'
import { executeAction } from './execute-action.ts'
import { loadFacts } from './load-facts.ts'
import { openEventPart } from './open-part.ts'

type Ask = Extract<Authorization, { kind: 'ask' }>

/**
 * Where the manifest names a preview, asks the skill for it, so that a person sees what would happen; from then
 * on the yes covers what was shown. The preview is an action like any other, decided under the same grant:
 * without authority for it there is none, and the question is asked without.
 */
export async function attachPreview(broker: Broker, asked: ActionRequest, ask: Ask): Promise<ApprovalRow> {
  const { row, approval } = ask
  const digest = row.manifestDigest
  if (approval.previewEventId !== null || digest === null) return approval
  const loaded = await broker.store.read((tx) => broker.manifests.load(tx, digest))
  const preview = loaded.actions.get(row.action)?.declared.preview
  if (!preview) return approval
  const shown = await fetchPreview(broker, asked, ask, loaded, preview)
  if (!shown) return approval

  return broker.store.transaction(async (tx) => {
    const before = await tx.approvals.find(approval.id)
    if (before?.status !== 'waiting' || before.previewEventId !== null) return before ?? approval
    const { facts } = await loadFacts(broker, tx, asked)
    // A manifest that came in meanwhile makes it another question, which gets a preview of its own.
    if (before.digest !== approvalDigestOf(asked, facts, loaded, null)) return before
    const previewDigest = digestOf(shown.result)
    const covering = approvalDigestOf(asked, facts, loaded, previewDigest)
    await tx.approvals.setPreview(approval.id, shown.eventId, previewDigest, covering)
    return { ...before, previewEventId: shown.eventId, previewDigest, digest: covering }
  }, asked)
}

async function fetchPreview(
  broker: Broker,
  asked: ActionRequest,
  { row, approval }: Ask,
  loaded: LoadedManifest,
  preview: Companion,
): Promise<{ eventId: string; result: JsonValue } | undefined> {
  const decided = await openEventPart(broker, row.eventId, 'body')
  const args = decided && previewArguments(preview, readPointer(decided, '/arguments') ?? null, row.id)
  const declared = loaded.actions.get(preview.action)?.declared
  if (!args || declared?.effects.some((effect) => effect !== 'read')) return undefined
  const authorization = await authorizeAction(broker, {
    ...asked,
    action: preview.action,
    arguments: args,
    idempotencyKey: `preview ${approval.id}`,
  })
  if (authorization.kind !== 'permit') return undefined
  const { permit } = authorization
  const settled = await broker.inFlight.track(permit.row.id, executeAction(broker, permit))
  const body = await openEventPart(broker, settled.settleEventId, 'body')
  const result = body && readPointer(body, '/result')
  if (settled.settleEventId === null || result === undefined || result === null) return undefined
  return { eventId: settled.settleEventId, result }
}

function previewArguments(preview: Companion, decided: JsonValue, actionId: string): JsonValue | undefined {
  let args: JsonValue = {}
  for (const [pointer, source] of Object.entries(preview.arguments)) {
    const value =
      source.from === 'executionId'
        ? actionId
        : source.from === 'arguments'
          ? readPointer(decided, source.pointer)
          : undefined
    const next: JsonValue | undefined = value === undefined ? undefined : setPointer(args, pointer, value)
    if (next === undefined) return undefined
    args = next
  }
  return args
}
