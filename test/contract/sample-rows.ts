import { hashLeaf } from '../../src/core/merkle/tree.ts'
import type {
  ActionRow,
  AgentRow,
  ApprovalRow,
  CounterKeys,
  CounterRow,
  GrantRow,
  IncidentRow,
} from '../../src/ports/rows.ts'
import type { NewLeaf } from '../../src/ports/store.ts'

export const NOW_MS = 1_790_000_000_000

/** A permitted action with every field filled. */
export function filledAction(changes: Partial<ActionRow> = {}): ActionRow {
  return {
    id: 'act_1',
    userId: 'usr_1',
    agentId: 'agt_1',
    lineageId: 'lin_1',
    idempotencyKey: changes.id ?? 'act_1',
    requestDigest: 'sha256:request',
    skillId: 'coffee.order',
    action: 'place_order',
    status: 'dispatched',
    reason: 'permitted',
    deploymentId: 'dep_1',
    manifestDigest: 'sha256:manifest',
    grantId: 'grt_1',
    approvalId: 'apr_1',
    eventId: 'evt_1',
    leafHash: Buffer.alloc(32, 0xfe),
    brokerKey: 'key_1',
    sentDigest: 'digest',
    sessionId: 'ses_1',
    currency: 'EUR',
    reservedMinor: 500,
    heldMinor: 500,
    capturedMinor: 0,
    overrunMinor: 7,
    reservedAtMs: changes.decidedAtMs ?? NOW_MS,
    asked: true,
    counted: false,
    settleEventId: 'evt_2',
    settledBy: 'opr_1',
    createdAtMs: NOW_MS,
    decidedAtMs: changes.reservedAtMs ?? NOW_MS,
    settledAtMs: NOW_MS + 2,
    nextCheckAtMs: NOW_MS + 3,
    nodeId: 'nod_1',
    doubtedAtMs: NOW_MS + 1,
    settleLeafHash: Buffer.alloc(32, 0xfd),
    ...changes,
  }
}

/** A refused action: all that may be absent is. */
export function emptyAction(changes: Partial<ActionRow> = {}): ActionRow {
  return filledAction({
    status: 'refused',
    manifestDigest: null,
    grantId: null,
    approvalId: null,
    eventId: null,
    leafHash: null,
    brokerKey: null,
    sentDigest: null,
    currency: null,
    reservedMinor: null,
    heldMinor: 0,
    overrunMinor: 0,
    reservedAtMs: null,
    asked: false,
    counted: true,
    settleEventId: null,
    settledBy: null,
    settledAtMs: null,
    nextCheckAtMs: null,
    nodeId: null,
    doubtedAtMs: null,
    settleLeafHash: null,
    ...changes,
  })
}

export function grantRow(changes: Partial<GrantRow> = {}): GrantRow {
  return {
    id: 'grt_1',
    userId: 'usr_1',
    agentId: 'agt_1',
    lineageId: 'lin_1',
    skillId: 'coffee.order',
    terms: '{"actions":["place_order"],"title":"Kaffee 咖啡"}',
    consented: '{"place_order":"sha256:manifest"}',
    revision: 1,
    status: 'active',
    oneTime: false,
    expiresAtMs: NOW_MS + 1000,
    createdAtMs: NOW_MS,
    changedAtMs: NOW_MS,
    ...changes,
  }
}

export function approvalRow(changes: Partial<ApprovalRow> = {}): ApprovalRow {
  return {
    id: 'apr_1',
    userId: 'usr_1',
    agentId: 'agt_1',
    skillId: 'coffee.order',
    action: 'place_order',
    actionId: 'act_1',
    digest: 'sha256:approval',
    questions: '[]',
    previewEventId: null,
    previewDigest: null,
    status: 'waiting',
    createdAtMs: NOW_MS,
    expiresAtMs: NOW_MS + 1000,
    decidedAtMs: null,
    ...changes,
  }
}

export function incidentRow(changes: Partial<IncidentRow> = {}): IncidentRow {
  return {
    id: 'inc_1',
    kind: 'overrun',
    userId: 'usr_1',
    skillId: 'coffee.order',
    actionId: 'act_1',
    detail: 'took 7 more than reserved',
    stopsSpending: true,
    status: 'open',
    openedAtMs: NOW_MS,
    closedAtMs: null,
    ...changes,
  }
}

export function counterRow(changes: Partial<CounterRow & CounterKeys> = {}): CounterRow & CounterKeys {
  return {
    userId: 'usr_1',
    counterId: 'cnt_1',
    lineageId: 'lin_1',
    skillId: 'coffee.order',
    action: 'place_order',
    currency: 'EUR',
    zone: 'Europe/Berlin',
    tailMs: NOW_MS - 60_000,
    periodStartMs: 0,
    periodEndMs: Number.MAX_SAFE_INTEGER,
    held: 10,
    captured: 20,
    ceiling: 30,
    ...changes,
  }
}

/** What comes back of a counter: where it stands. */
export function counterState(row: CounterRow & CounterKeys): CounterRow {
  const { userId: _u, lineageId: _l, skillId: _s, action: _a, currency: _c, ...state } = row
  return state
}

/** Leaf number `index` of a test log, with as many parts as wanted. */
export function leafOf(index: number, parts: readonly ('core' | 'subj' | 'body')[] = []): NewLeaf {
  const leaf = Buffer.from(`{"v":1,"n":${index}}`)
  const eventId = `evt_${index}`
  return {
    eventId,
    userId: 'usr_1',
    leaf,
    leafHash: hashLeaf(leaf),
    parts: parts.map((part) => ({
      part,
      cellId: `cel_${part}`,
      commitment: Buffer.alloc(32, part.length),
      sealed: Buffer.from([0, 1, 255, index % 256]),
    })),
  }
}

export function agentRow(changed: Partial<AgentRow> = {}): AgentRow {
  return {
    id: 'agt_1',
    userId: 'usr_1',
    lineageId: 'agt_1',
    name: 'Errand runner',
    publicJwk: '{}',
    keyThumbprint: 'thumb',
    clientId: null,
    clientHost: null,
    deployments: '[]',
    status: 'connected',
    createdAtMs: NOW_MS,
    ...changed,
  }
}
