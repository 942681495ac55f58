import { openPart } from '../core/log/part.ts'
import type { ErasureRow, PartPlace } from '../ports/erasure-rows.ts'
import type { Broker } from './broker.ts'
import { userParts } from './user-parts.ts'

const DAY_MS = 86_400_000
/** Names of cells looked for at once. */
const NAMES_AT_ONCE = 2_000

/** The cells that seal what one skill left of a user: they are found by their names, whatever is sealed under them. */
export async function cellsOfSkill(broker: Broker, userId: string, skillId: string): Promise<string[]> {
  const today = Math.floor(broker.store.now().nowMs / DAY_MS)
  const first = await broker.store.read(async (tx) => {
    const [past] = await tx.pastLogs.list()
    const [leaf] = past ? await tx.pastLogs.leaves(past.epoch, 0, 1) : await tx.log.leaves(0, 1)
    return Math.floor((leaf?.atMs ?? tx.nowMs) / DAY_MS)
  })
  // From the log's first day on; a longer time to keep may have been set before, so the days go on to the longest.
  const last = today + Math.max(...Object.values(broker.settings.keepPartsDays), KEPT_MOST_DAYS)
  const found: string[] = []
  for (const part of ['core', 'subj', 'body'] as const) {
    for (let day = first; day <= last; day += NAMES_AT_ONCE) {
      const days = Array.from({ length: Math.min(NAMES_AT_ONCE, last - day + 1) }, (_, i) => day + i)
      found.push(
        ...(await broker.cells.named(days.map((expiryDay) => ({ userId, skillId, part, expiryDay })))),
      )
    }
  }
  return found
}

/** Ten years: nobody keeps parts longer without saying so in the settings. */
const KEPT_MOST_DAYS = 3_650

/** A page of a user's parts, those that are about one agent apart from the rest. */
export type AgentParts = { readonly meant: readonly PartPlace[]; readonly others: readonly PartPlace[] }

/**
 * Every sealed part about one user, by whether its event names an agent: in any of its parts, since an agent's id is
 * nobody else's. What another agent's action says is not looked at.
 */
export async function* partsByAgent(
  broker: Broker,
  userId: string,
  agentId: string,
): AsyncGenerator<AgentParts> {
  const actions = await broker.store.read(async (tx) => tx.personalRows.actionEvents(userId))
  const agentOf = new Map(
    actions.flatMap((row) =>
      [row.eventId, row.settleEventId].filter((id) => id !== null).map((id) => [id, row.agentId] as const),
    ),
  )
  for await (const page of userParts(broker, userId)) {
    const meant: PartPlace[] = []
    const others: PartPlace[] = []
    for (const [eventId, places] of Map.groupBy(page, (place) => place.eventId)) {
      const actor = agentOf.get(eventId)
      const isMeant = actor === undefined ? await names(broker, eventId, agentId) : actor === agentId
      ;(isMeant ? meant : others).push(...places)
    }
    yield { meant, others }
  }
}

async function names(broker: Broker, eventId: string, agentId: string): Promise<boolean> {
  const rows = await broker.store.read(async (tx) => tx.log.parts(eventId))
  const keys = await broker.cells.findAll(rows.map(({ cellId }) => cellId))
  return rows.some((row) => {
    const key = keys.get(row.cellId)
    return key !== undefined && openPart(key, eventId, row.part, row)?.includes(agentId)
  })
}

/** The user's parts under the cells an erasure is about, and for an agent's only those that are meant. */
export async function* partsInCells(
  broker: Broker,
  { userId, scope, scopeId }: ErasureRow,
  cells: ReadonlySet<string>,
): AsyncGenerator<readonly PartPlace[]> {
  const isIn = ({ cellId }: PartPlace) => cells.has(cellId)
  if (scope === 'agent') {
    for await (const { meant } of partsByAgent(broker, userId, scopeId ?? '')) yield meant.filter(isIn)
  } else {
    for await (const page of userParts(broker, userId)) yield page.filter(isIn)
  }
}
