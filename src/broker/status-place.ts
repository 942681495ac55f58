import { randomInt } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { StatusReference } from '../core/http-signature/authority-event.ts'
import { STATUS_PLACES, statusOfGrant } from '../core/status-list/status-list.ts'
import type { StatusPlace } from '../ports/revocation-rows.ts'
import type { GrantRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { EPOCH_MARK } from './current-epoch.ts'

/** Places tried for one grant. */
const TRIES = 16
/** With so many of them taken the list is full enough: the next one begins. */
const TAKEN_MOST = 10

/** Where a grant stands in its list never changes, so what is known of it cannot be stale. */
const known = new LRUCache<string, StatusPlace>({ max: 50_000 })

/**
 * Gives a new grant its place in a status list: at random, so that neither who came before nor how many there are can be
 * told from it, and never one that anybody had.
 */
export async function giveStatusPlace(
  tx: Tx,
  grant: Pick<GrantRow, 'id' | 'userId' | 'agentId' | 'skillId' | 'status'>,
  places: number = STATUS_PLACES,
): Promise<void> {
  const mark = await tx.deploymentMarks.find(EPOCH_MARK)
  const epoch = mark === undefined ? 1 : Number(mark)
  const newest = (await tx.statusEntries.newestList(epoch)) ?? 0
  const tried = distinctPlaces(places)
  const taken = await tx.statusEntries.countTaken(epoch, newest, tried)
  for (let listNo = taken > TAKEN_MOST ? newest + 1 : newest; ; listNo += 1) {
    for (const idx of tried) {
      const isOurs = await tx.statusEntries.take({
        epoch,
        listNo,
        idx,
        grantId: grant.id,
        userId: grant.userId,
        agentId: grant.agentId,
        skillId: grant.skillId,
        status: statusOfGrant(grant.status),
        changedAtMs: tx.nowMs,
      })
      if (isOurs) return
    }
  }
}

/** Gives one to a grant from before there were lists. */
export async function ensureStatusPlace(tx: Tx, grant: GrantRow): Promise<void> {
  if (!(await tx.statusEntries.ofGrant(grant.id))) await giveStatusPlace(tx, grant)
}

function distinctPlaces(of: number): number[] {
  const places = new Set<number>()
  while (places.size < TRIES) places.add(randomInt(of))
  return [...places]
}

/** Where the status of a grant can be read; null for one from before there were lists. */
export async function statusReferenceIn(
  { settings }: Pick<Broker, 'settings'>,
  tx: Tx,
  grantId: string,
): Promise<StatusReference | null> {
  const found = known.get(grantId) ?? (await tx.statusEntries.ofGrant(grantId))
  if (!found) return null
  const { epoch, listNo, idx } = found
  known.set(grantId, { epoch, listNo, idx })
  return { uri: statusListUri(settings.issuer, found), idx }
}

/** As `statusReferenceIn`, outside a unit of work; it asks the store once per grant. */
export async function statusReferenceOf(
  broker: Pick<Broker, 'settings' | 'store'>,
  grantId: string,
): Promise<StatusReference | null> {
  const place = known.get(grantId)
  if (place) return { uri: statusListUri(broker.settings.issuer, place), idx: place.idx }
  return broker.store.read((tx) => statusReferenceIn(broker, tx, grantId))
}

export function statusListUri(
  issuer: string,
  { epoch, listNo }: Pick<StatusPlace, 'epoch' | 'listNo'>,
): string {
  return `${issuer}/status-lists/${epoch}-${listNo}`
}
