import { randomBytes } from 'node:crypto'
import type { ErasureStep, ErasureWait } from '../core/erasure/erasure-steps.ts'
import type { ErasureRow } from '../ports/erasure-rows.ts'
import type { ActionRow } from '../ports/rows.ts'
import type { Broker } from './broker.ts'
import { type CancelInFlight, cancelWhatRuns } from './cancel-in-flight.ts'
import { destroyMemoryOf } from './destroy-memory.ts'
import { disconnectInTx } from './disconnect-agent.ts'
import { erasureLeaf } from './erasure-leaf.ts'
import { finishStep, inErasureUnit } from './erasure-unit.ts'
import { sealerFor } from './leaf-sealer.ts'
import { markParts } from './mark-parts.ts'
import { queueSkillNotice } from './queue-skill-notice.ts'
import { resealOthers } from './reseal-parts.ts'
import { cellsOfSkill, partsByAgent, partsInCells } from './scope-parts.ts'
import { countParts } from './user-parts.ts'

/**
 * How long somebody may go on sealing under a key that was taken its name, in milliseconds: ten seconds from memory on
 * another node, and what was begun then is committed or not well before this.
 */
const WRITERS_MOST_MS = 30_000

/** Does the next step of an erasure of one skill's or one agent's data. @returns what it waits for; null once it is done. */
export async function doPartErasureStep(
  broker: Broker,
  erasure: ErasureRow,
  cancelInFlight: CancelInFlight,
): Promise<ErasureWait | null> {
  switch (erasure.step as ErasureStep) {
    case 'authority':
      await endAuthority(broker, erasure, cancelInFlight)
      return null
    case 'settle': {
      const unsettled = await broker.store.read(async (tx) => tx.actions.unsettled(erasure.userId))
      if (unsettled.some((row) => covers(erasure, row))) return 'in_doubt'
      await finishStep(broker, erasure)
      return null
    }
    case 'close':
      await closeCells(broker, erasure)
      return null
    case 'record':
      return record(broker, erasure)
    case 'reseal':
      if (erasure.scope === 'agent') await resealOthers(broker, erasure, cellsIn(erasure))
      await finishStep(broker, erasure)
      return null
    case 'keys':
      await broker.cells.destroy([...cellsIn(erasure)])
      await destroyMemoryOf(broker, memoryScope(erasure), 'erasure')
      await finishStep(broker, erasure)
      return null
    case 'marks':
      await markParts(broker, erasure, under(broker, erasure))
      await finishStep(broker, erasure)
      return null
    case 'rows':
      await removeRows(broker, erasure)
      return null
    default:
      throw new Error(`an erasure of a part has no step ${erasure.step}`)
  }
}

function covers({ scope, scopeId }: ErasureRow, action: Pick<ActionRow, 'skillId' | 'agentId'>): boolean {
  return (scope === 'skill' ? action.skillId : action.agentId) === scopeId
}

function cellsIn({ cells }: ErasureRow): ReadonlySet<string> {
  return new Set(JSON.parse(cells) as string[])
}

function memoryScope({ userId, scope, scopeId }: ErasureRow) {
  return scope === 'skill' ? { userId, skillId: scopeId ?? '' } : { userId, agentId: scopeId ?? '' }
}

async function endAuthority(
  broker: Broker,
  erasure: ErasureRow,
  cancelInFlight: CancelInFlight,
): Promise<void> {
  const { id, userId, scope, scopeId } = erasure
  const own = await sealerFor(broker, { userId, skillId: '' })
  const ended = await inErasureUnit(broker, erasure, async (tx, _row, seal) => {
    await queueSkillNotice(broker, tx, seal, {
      userId,
      scope: { kind: scope === 'skill' ? 'skill' : 'agent', id: scopeId ?? '' },
      reason: 'erased',
    })
    const agent = scope === 'agent' ? await tx.agents.find(scopeId ?? '', userId) : undefined
    return agent && agent.status !== 'disconnected' ? disconnectInTx(broker, tx, own, agent) : undefined
  })
  broker.notices.wake()
  if (ended) await cancelWhatRuns(ended.revocation, cancelInFlight)
  await finishStep(broker, erasure, async (tx, seal) => {
    await tx.log.append(seal(erasureLeaf('begun', 'due', { erasure: id }), tx.nowMs), tx.nowMs)
    return undefined
  })
}

/** Kept before they lose their names: after that nobody finds them by a name. */
async function closeCells(broker: Broker, erasure: ErasureRow): Promise<void> {
  const found = await cellsMeant(broker, erasure)
  const cells = await inErasureUnit(broker, erasure, async (tx, row) => {
    const all = [...new Set([...cellsIn(row), ...found])]
    await tx.erasures.update({ ...row, cells: JSON.stringify(all) })
    return all
  })
  await broker.cells.unname(cells)
  await finishStep(broker, erasure)
}

async function cellsMeant(broker: Broker, { userId, scope, scopeId }: ErasureRow): Promise<string[]> {
  if (scope === 'skill') return cellsOfSkill(broker, userId, scopeId ?? '')
  const cells = new Set<string>()
  for await (const { meant } of partsByAgent(broker, userId, scopeId ?? ''))
    for (const { cellId } of meant) cells.add(cellId)
  return [...cells]
}

/** Says how much is about to become unreadable, without a name and without which. */
async function record(broker: Broker, erasure: ErasureRow): Promise<ErasureWait | null> {
  if (broker.store.now().nowMs < erasure.steppedAtMs + WRITERS_MOST_MS) return 'writers'
  const salt = randomBytes(32)
  const counted = await countParts(partsInCells(broker, erasure, cellsIn(erasure)), salt)
  await finishStep(broker, erasure, async (tx, seal) => {
    const core = { erasure: erasure.id, basis: 'request', ...counted, salt: salt.toString('base64url') }
    await tx.log.append(seal(erasureLeaf('recorded', 'request', core), tx.nowMs), tx.nowMs)
    return { partsTotal: counted.parts }
  })
  return null
}

/** By now whatever is under those cells is meant: the rest was kept under others. */
function under(broker: Broker, erasure: ErasureRow) {
  return partsInCells(broker, { ...erasure, scope: 'skill' }, cellsIn(erasure))
}

function removeRows(broker: Broker, erasure: ErasureRow): Promise<void> {
  const { id, userId, scope, scopeId } = erasure
  return finishStep(broker, erasure, async (tx, seal) => {
    if (scope === 'skill') await tx.personalRows.removeOfSkill(userId, scopeId ?? '')
    else await tx.personalRows.removeOfAgent(userId, scopeId ?? '')
    await tx.log.append(seal(erasureLeaf('done', 'request', { erasure: id, parts: 0 }), tx.nowMs), tx.nowMs)
    return { cells: '[]' }
  })
}
