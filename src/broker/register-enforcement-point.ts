import { randomBytes } from 'node:crypto'
import { parsePublicJwk } from '../core/manifest/public-key.ts'
import type { EnforcementCredentialRow, EnforcementPointRow } from '../ports/enforcement-store.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { ENFORCEMENT_SECRET_PREFIX, isGoodAt, secretDigest } from './find-enforcement-point.ts'
import { type LeafSealer, sealerFor } from './leaf-sealer.ts'
import { type OperatorAct, type ReasonRefused, refuseReason } from './operator-act.ts'
import { type UnsettledPermit, unsettledPermit } from './revoke-in-scope.ts'

/** What an enforcement point may be asked to enforce; nothing is covered that is not named. */
export type EnforcementScope = {
  readonly skills: readonly string[]
  /** All skills of this publisher, those to come too; null for none. */
  readonly publisherId: string | null
  /** Whether it may learn which users have granted something. */
  readonly mayListUsers: boolean
  readonly reportWithinMs: number
}

/** A way to say who it is. The secret is told once, here, and only its SHA-256 is kept. */
export type NewCredential = { readonly credentialId: string; readonly secret: string | null }

export type PointRegistered =
  | ReasonRefused
  | { readonly kind: 'registered'; readonly point: EnforcementPointRow; readonly credential: NewCredential }
  | { readonly kind: 'target_unknown'; readonly message: string }
  | { readonly kind: 'key_refused'; readonly message: string }

/**
 * Registers an enforcement point: something that carries out by itself what the broker permits, such as a gateway.
 * With a public key it signs an assertion with each call; without one it gets a secret.
 */
export async function registerEnforcementPoint(
  broker: Broker,
  input: OperatorAct & EnforcementScope & { readonly name: string; readonly publicJwk: unknown },
): Promise<PointRegistered> {
  const refused = refuseReason(input)
  if (refused) return refused
  const made = makeCredential(broker, input.publicJwk)
  if ('kind' in made) return made
  const seal = await sealerFor(broker, { userId: '', skillId: '' })
  return broker.store.transaction<PointRegistered>(async (tx) => {
    const unknown = await unknownTarget(tx, input)
    if (unknown !== undefined) return { kind: 'target_unknown', message: unknown }
    if (await tx.enforcementPoints.credentialByDigest(made.digest)) return KEY_IN_USE
    const point: EnforcementPointRow = {
      id: broker.newId('enforcementPoint'),
      name: input.name,
      skills: JSON.stringify([...new Set(input.skills)].sort()),
      publisherId: input.publisherId,
      mayListUsers: input.mayListUsers,
      reportWithinMs: input.reportWithinMs,
      status: 'active',
      registeredBy: input.operatorId,
      createdAtMs: tx.nowMs,
      changedAtMs: tx.nowMs,
    }
    await tx.enforcementPoints.insert(point)
    await tx.enforcementPoints.insertCredential(rowOf(made, point.id, tx.nowMs))
    await logAct(tx, seal, input, 'registered', point)
    return { kind: 'registered', point, credential: toldOf(made) }
  })
}

export type CredentialReplaced =
  | ReasonRefused
  | { readonly kind: 'replaced'; readonly credential: NewCredential }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'key_refused'; readonly message: string }

/**
 * Gives an enforcement point another credential. Those it had end after `othersEndInMs`, at once with 0, so that it
 * can be changed over without a gap.
 */
export async function replaceEnforcementCredential(
  broker: Broker,
  input: OperatorAct & {
    readonly pointId: string
    readonly publicJwk: unknown
    readonly othersEndInMs: number
  },
): Promise<CredentialReplaced> {
  const refused = refuseReason(input)
  if (refused) return refused
  const made = makeCredential(broker, input.publicJwk)
  if ('kind' in made) return made
  const seal = await sealerFor(broker, { userId: '', skillId: '' })
  return broker.store.transaction<CredentialReplaced>(async (tx) => {
    const point = await tx.enforcementPoints.find(input.pointId)
    if (point?.status !== 'active') return { kind: 'not_found' }
    if (await tx.enforcementPoints.credentialByDigest(made.digest)) return KEY_IN_USE
    await endCredentials(tx, point.id, tx.nowMs + input.othersEndInMs)
    await tx.enforcementPoints.insertCredential(rowOf(made, point.id, tx.nowMs))
    await logAct(tx, seal, input, 'credential_replaced', point)
    return { kind: 'replaced', credential: toldOf(made) }
  })
}

export type PointRevoked =
  | ReasonRefused
  | { readonly kind: 'revoked'; readonly unsettled: readonly UnsettledPermit[] }
  | { readonly kind: 'not_found' }

/**
 * Ends an enforcement point for good: when this resolves, no later decision permits it anything (P3). What it has reserved and not reported can be reported by nobody any more: it is
 * listed, and in doubt when its time is over. Revoking again lists it again.
 */
export async function revokeEnforcementPoint(
  broker: Broker,
  input: OperatorAct & { readonly pointId: string },
): Promise<PointRevoked> {
  const refused = refuseReason(input)
  if (refused) return refused
  const seal = await sealerFor(broker, { userId: '', skillId: '' })
  const isKnown = await broker.store.transaction(async (tx) => {
    const point = await tx.enforcementPoints.find(input.pointId)
    if (point?.status === 'active') {
      await tx.enforcementPoints.setStatus(point.id, 'revoked', tx.nowMs)
      await endCredentials(tx, point.id, tx.nowMs)
      await logAct(tx, seal, input, 'revoked', point)
    }
    return point !== undefined
  })
  if (!isKnown) return { kind: 'not_found' }
  // What was decided before the end was there to be seen may still be committed: it ends first, and is listed.
  await broker.store.drained()
  const unsettled = await broker.store.read(async (tx) => tx.actions.handedOver(input.pointId))
  return { kind: 'revoked', unsettled: unsettled.map(unsettledPermit) }
}

/** Every enforcement point there ever was, newest first, with the credentials that are good now. */
export function listEnforcementPoints(
  broker: Broker,
): Promise<{ point: EnforcementPointRow; credentials: EnforcementCredentialRow[] }[]> {
  return broker.store.read(async (tx) => {
    const listed = []
    for (const point of await tx.enforcementPoints.list()) {
      const credentials = await tx.enforcementPoints.credentials(point.id)
      listed.push({ point, credentials: credentials.filter((one) => isGoodAt(one, tx.nowMs)) })
    }
    return listed
  })
}

type Made = { id: string; digest: string; publicJwk: string | null; secret: string | null }

const KEY_IN_USE = {
  kind: 'key_refused',
  message: 'this key is an enforcement point’s already, or was one’s: generate another one',
} as const

function makeCredential(broker: Broker, publicJwk: unknown): Made | { kind: 'key_refused'; message: string } {
  const id = broker.newId('enforcementCredential')
  if (publicJwk === null) {
    const secret = `${ENFORCEMENT_SECRET_PREFIX}${randomBytes(32).toString('base64url')}`
    return { id, digest: secretDigest(secret), publicJwk: null, secret }
  }
  const parsed = parsePublicJwk(publicJwk)
  if (!parsed.ok) return { kind: 'key_refused', message: parsed.fault.message }
  return { id, digest: parsed.jwk.kid, publicJwk: JSON.stringify(parsed.jwk), secret: null }
}

function rowOf({ id, digest, publicJwk }: Made, pointId: string, nowMs: number): EnforcementCredentialRow {
  return { id, pointId, digest, publicJwk, createdAtMs: nowMs, endsAtMs: null }
}

function toldOf({ id, secret }: Made): NewCredential {
  return { credentialId: id, secret }
}

/** Ends what is good; what ends earlier anyway is left to. */
async function endCredentials(tx: Tx, pointId: string, endsAtMs: number): Promise<void> {
  for (const credential of await tx.enforcementPoints.credentials(pointId)) {
    if (isGoodAt(credential, endsAtMs)) await tx.enforcementPoints.endCredential(credential.id, endsAtMs)
  }
}

async function unknownTarget(tx: Tx, { skills, publisherId }: EnforcementScope): Promise<string | undefined> {
  for (const skill of skills) if (!(await tx.skills.find(skill))) return `there is no skill ${skill}`
  if (publisherId !== null && !(await tx.publishers.find(publisherId)))
    return `there is no publisher ${publisherId}`
  return skills.length === 0 && publisherId === null
    ? 'name the skills or the publisher it enforces for'
    : undefined
}

async function logAct(
  tx: Tx,
  seal: LeafSealer,
  { operatorId, reason }: OperatorAct,
  outcome: string,
  { id, name, skills, publisherId }: EnforcementPointRow,
): Promise<void> {
  const leaf = seal(
    {
      type: 'operator',
      outcome,
      reason: 'enforcement_point',
      core: { point: id, name, skills: JSON.parse(skills), publisher: publisherId },
      subj: { operator: operatorId },
      body: { reason },
    },
    tx.nowMs,
  )
  await tx.log.append(leaf, tx.nowMs)
}
