import { randomBytes } from 'node:crypto'
import type { ErasureStep, ErasureWait } from '../core/erasure/erasure-steps.ts'
import type { ErasureRow } from '../ports/erasure-rows.ts'
import type { PersonRef } from '../ports/people-rows.ts'
import type { Broker } from './broker.ts'
import { type CancelInFlight, cancelWhatRuns } from './cancel-in-flight.ts'
import { destroyMemoryKeys } from './destroy-memory.ts'
import { erasureLeaf } from './erasure-leaf.ts'
import { finishStep, inErasureUnit } from './erasure-unit.ts'
import { markParts } from './mark-parts.ts'
import { orphanNotices } from './orphan-notices.ts'
import { doPartErasureStep } from './part-erasure-step.ts'
import { queueSkillNotice } from './queue-skill-notice.ts'
import { tellOfRevoked } from './record-revocation.ts'
import { erasedMark } from './redo-erasures.ts'
import { revocationParts } from './revocation-leaf.ts'
import { revokeInScope } from './revoke-in-scope.ts'
import { cellOfText } from './seal-text.ts'
import { tellInTx } from './tell.ts'
import { unlinkEverything } from './unlink-account.ts'
import { countParts, destroyUserParts, userParts } from './user-parts.ts'

/** How long the last message may take to be delivered before its address is forgotten, in milliseconds. */
const FAREWELL_WITHIN_MS = 3_600_000

/** Does the next step of an erasure. @returns what it waits for; null once the step is done. */
export function doErasureStep(
  broker: Broker,
  erasure: ErasureRow,
  cancelInFlight: CancelInFlight,
): Promise<ErasureWait | null> {
  return erasure.scope === 'everything'
    ? eraseEverything(broker, erasure, cancelInFlight)
    : doPartErasureStep(broker, erasure, cancelInFlight)
}

async function eraseEverything(
  broker: Broker,
  erasure: ErasureRow,
  cancelInFlight: CancelInFlight,
): Promise<ErasureWait | null> {
  switch (erasure.step as ErasureStep) {
    case 'sign_in':
      await endSignIn(broker, erasure)
      return null
    case 'authority':
      await endAuthority(broker, erasure, cancelInFlight)
      return null
    case 'settle':
      return settle(broker, erasure)
    case 'accounts':
      await unlink(broker, erasure)
      return null
    case 'record':
      await record(broker, erasure)
      return null
    case 'keys':
      // First: whatever is destroyed must be found destroyed by a database that is restored later.
      await broker.cells.ensure([erasedMark(erasure.userId)])
      await destroyUserParts(broker, erasure.userId)
      await destroyMemoryKeys(broker, erasure.userId)
      await broker.cells.destroy(cellsOf(erasure))
      await finishStep(broker, erasure)
      return null
    case 'marks':
      await markParts(broker, erasure, userParts(broker, erasure.userId))
      await finishStep(broker, erasure)
      return null
    case 'rows':
      await removeRows(broker, erasure)
      return null
    case 'farewell':
      await sayFarewell(broker, erasure)
      return null
    case 'channels':
      return forgetChannels(broker, erasure)
    default:
      throw new Error(`an erasure of everything has no step ${erasure.step}`)
  }
}

/** More than are ever open at once. */
const PARTS_OPEN_MOST = 1_000

function cellsOf(erasure: ErasureRow): string[] {
  return JSON.parse(erasure.cells) as string[]
}

function withCells(erasure: ErasureRow, texts: readonly string[]): string {
  return JSON.stringify([...new Set([...cellsOf(erasure), ...texts.map(cellOfText)])])
}

function endSignIn(broker: Broker, erasure: ErasureRow): Promise<void> {
  const { id, userId } = erasure
  const who: PersonRef = { kind: 'user', id: userId }
  return finishStep(broker, erasure, async (tx, seal) => {
    // Whoever was never here to sign in leaves a tombstone too: nobody is invited into this id.
    if (await tx.people.find(who)) {
      await tx.people.setStatus(who, 'erased')
      await tx.people.setStepUpAbove(who, '{}')
    } else {
      await tx.people.insert({
        personId: userId,
        kind: 'user',
        status: 'erased',
        stepUpAbove: '{}',
        createdAtMs: tx.nowMs,
        recoveredAtMs: null,
      })
    }
    const names = (await tx.passkeys.list(who)).map(({ name }) => name)
    await tx.personalRows.removeSignIn(userId)
    await tx.tokenFamilies.endOfUser(userId, tx.nowMs)
    // What one skill or one agent left goes with everything else.
    for (const part of await tx.erasures.ofParts(userId, PARTS_OPEN_MOST)) {
      if (part.endedAtMs !== null) continue
      const ended = { status: 'cancelled', waitsFor: null, endedAtMs: tx.nowMs } as const
      await tx.erasures.update({ ...part, ...ended })
    }
    for (const agent of await tx.agents.list(userId)) await tx.agents.setStatus(agent.id, 'disconnected')
    await tx.log.append(seal(erasureLeaf('begun', 'due', { erasure: id }), tx.nowMs), tx.nowMs)
    return { cells: withCells(erasure, names) }
  })
}

async function endAuthority(
  broker: Broker,
  erasure: ErasureRow,
  cancelInFlight: CancelInFlight,
): Promise<void> {
  const { id, userId } = erasure
  const scope = { kind: 'everything' } as const
  const revocation = await inErasureUnit(broker, erasure, async (tx, _row, seal) => {
    const revoked = await revokeInScope(tx, userId, scope)
    const { core } = revocationParts(userId, scope, revoked)
    await tellOfRevoked(broker, tx, userId, revoked)
    if (revoked.grants.length > 0) {
      const about = { erasure: id, ...(core as Record<string, never>) }
      const leaf = { type: 'grant', outcome: 'revoked', reason: 'erasure', core: about } as const
      await tx.log.append(seal(leaf, tx.nowMs), tx.nowMs)
    }
    await queueSkillNotice(broker, tx, seal, { userId, scope, reason: 'erased' })
    return revoked
  })
  broker.notices.wake()
  await cancelWhatRuns(revocation, cancelInFlight)
  await finishStep(broker, erasure)
}

/** A skill or an operator says what became of it, never time: money may have moved. */
async function settle(broker: Broker, erasure: ErasureRow): Promise<ErasureWait | null> {
  const unsettled = await broker.store.read(async (tx) => tx.actions.unsettled(erasure.userId))
  if (unsettled.length > 0) return 'in_doubt'
  await finishStep(broker, erasure)
  return null
}

async function unlink(broker: Broker, erasure: ErasureRow): Promise<void> {
  // Kept first: tokens whose row is gone could otherwise outlive a crash.
  const cells = await inErasureUnit(broker, erasure, async (tx, row) => {
    const tokens = (await tx.linkedAccounts.list(erasure.userId)).map((account) => account.tokens)
    const all = withCells(row, tokens)
    if (tokens.length > 0) await tx.erasures.update({ ...row, cells: all })
    return all
  })
  await unlinkEverything(broker, erasure.userId)
  await finishStep(broker, erasure, async () => ({ cells }))
}

/** The leaf names no event: a list of them would say that they belong together. */
async function record(broker: Broker, erasure: ErasureRow): Promise<void> {
  const salt = randomBytes(32)
  const counted = await countParts(userParts(broker, erasure.userId), salt)
  await finishStep(broker, erasure, async (tx, seal) => {
    const core = { erasure: erasure.id, basis: 'request', ...counted, salt: salt.toString('base64url') }
    await tx.log.append(seal(erasureLeaf('recorded', 'request', core), tx.nowMs), tx.nowMs)
    return { partsTotal: counted.parts }
  })
}

function removeRows(broker: Broker, erasure: ErasureRow): Promise<void> {
  return finishStep(broker, erasure, async (tx, seal) => {
    await orphanNotices(broker, tx, seal, erasure.userId)
    await tx.personalRows.removeAuthority(erasure.userId)
    await tx.personalRows.scrubLedger(erasure.userId)
    // Their rows would say which erasures were one person's.
    await tx.erasures.removeOfParts(erasure.userId)
    return { paused: JSON.stringify({ agents: [], grants: [] }), cells: '[]' }
  })
}

async function sayFarewell(broker: Broker, erasure: ErasureRow): Promise<void> {
  await finishStep(broker, erasure, async (tx) => {
    await tx.personalRows.removeMessages(erasure.userId)
    const expiresAtMs = tx.nowMs + FAREWELL_WITHIN_MS
    await tellInTx(broker, tx, erasure.userId, { kind: 'erased', id: erasure.id, expiresAtMs })
    return undefined
  })
  broker.deliveries.wake()
}

async function forgetChannels(broker: Broker, erasure: ErasureRow): Promise<ErasureWait | null> {
  const { id, userId, steppedAtMs } = erasure
  const isOnItsWay = await broker.store.read(
    async (tx) =>
      tx.nowMs < steppedAtMs + FAREWELL_WITHIN_MS && (await tx.personalRows.unsentMessages(userId)) > 0,
  )
  if (isOnItsWay) return 'message'
  const channels = await broker.store.read(async (tx) => tx.channels.list(userId))
  await broker.cells.destroy(channels.map(({ address }) => cellOfText(address)))
  // What was still written about them since the keys went.
  await destroyUserParts(broker, userId)
  const marked = await markParts(broker, erasure, userParts(broker, userId))
  await finishStep(broker, erasure, async (tx, seal) => {
    await tx.personalRows.removeReach(userId)
    // Beyond those the log spoke of before: nobody may erase more under the name of this.
    const core = { erasure: id, parts: Math.max(0, marked.partsDone - marked.partsTotal) }
    await tx.log.append(seal(erasureLeaf('done', 'request', core), tx.nowMs), tx.nowMs)
    return undefined
  })
  return null
}
