import { promisify } from 'node:util'
import { deflate } from 'node:zlib'
import { LRUCache } from 'lru-cache'
import {
  packStatuses,
  STATUS,
  STATUS_BITS,
  STATUS_EXPIRES_SECONDS,
  STATUS_LIST_TYP,
  STATUS_PLACES,
  STATUS_TTL_SECONDS,
} from '../core/status-list/status-list.ts'
import type { StatusEntryRow } from '../ports/revocation-rows.ts'
import type { FreezeRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { EPOCH_MARK } from './current-epoch.ts'
import { statusListUri } from './status-place.ts'

const compress = promisify(deflate)

/** No unit of work is open for longer, so what was committed late stands no further back, in milliseconds. */
const LOOK_BACK_MS = 60_000
/** Read whole again after so long, in milliseconds. */
const WHOLE_EVERY_MS = 600_000
const LISTS_MOST = 1_024

type Loaded = {
  readonly statuses: Uint8Array
  readonly freezes: string
  readonly wholeAtMs: number
  readonly seenAtMs: number
}
type Signed = { readonly packed: Buffer; readonly atMs: number; readonly token: string }

/**
 * Serves status list tokens. A list is read once and then only what changed in it; who is asked about cannot be told,
 * since a list is fetched whole. A freeze shows as suspended on every grant it covers, in the instant it stands: the
 * list is worked out from the freezes, not from rows they would have to change.
 */
export class StatusLists {
  readonly #broker: Pick<Broker, 'store' | 'signer' | 'settings'>
  readonly #loaded = new LRUCache<string, Loaded>({ max: LISTS_MOST })
  readonly #signed = new LRUCache<string, Signed>({ max: LISTS_MOST })

  constructor(broker: Pick<Broker, 'store' | 'signer' | 'settings'>) {
    this.#broker = broker
  }

  /** The addresses of all lists there are (section 9.3). */
  async uris(): Promise<string[]> {
    const { store, settings } = this.#broker
    return store.read(async (tx) => {
      const mark = await tx.deploymentMarks.find(EPOCH_MARK)
      const uris: string[] = []
      for (let epoch = 1; epoch <= (mark === undefined ? 1 : Number(mark)); epoch += 1) {
        // Lists are begun one after another, so the newest says which there are.
        const newest = await tx.statusEntries.newestList(epoch)
        for (let listNo = 0; newest !== undefined && listNo <= newest; listNo += 1)
          uris.push(statusListUri(settings.issuer, { epoch, listNo }))
      }
      return uris
    })
  }

  /** The signed list as it stands now; undefined for one that was never begun. */
  async token(epoch: number, listNo: number): Promise<string | undefined> {
    const { store, signer, settings } = this.#broker
    const name = `${epoch}-${listNo}`
    const found = await store.read((tx) => this.#load(tx, epoch, listNo))
    if (!found) return undefined
    const { nowMs } = store.now()
    const packed = Buffer.from(packStatuses(found))
    const before = this.#signed.get(name)
    const isFresh = before && nowMs - before.atMs < (STATUS_TTL_SECONDS * 1000) / 2
    if (isFresh && before.packed.equals(packed)) return before.token

    const iat = Math.floor(nowMs / 1000)
    const token = await signer.sign(
      'status',
      { typ: STATUS_LIST_TYP },
      {
        iss: settings.issuer,
        sub: statusListUri(settings.issuer, { epoch, listNo }),
        iat,
        exp: iat + STATUS_EXPIRES_SECONDS,
        ttl: STATUS_TTL_SECONDS,
        status_list: {
          bits: STATUS_BITS,
          lst: (await compress(packed, { level: 9 })).toString('base64url'),
          aggregation_uri: `${settings.issuer}/status-lists`,
        },
      },
    )
    this.#signed.set(name, { packed, atMs: nowMs, token })
    return token
  }

  async #load(tx: Tx, epoch: number, listNo: number): Promise<Uint8Array | undefined> {
    const name = `${epoch}-${listNo}`
    const freezes = await tx.freezes.list()
    const frozen = freezes.map(({ id }) => id).join(' ')
    const known = this.#loaded.get(name)
    // Which entries another set of freezes covers is not kept: the list is read whole once more.
    const isStale = !known || known.freezes !== frozen || tx.nowMs - known.wholeAtMs >= WHOLE_EVERY_MS
    const sinceMs = isStale ? 0 : known.seenAtMs - LOOK_BACK_MS
    const rows = await tx.statusEntries.changedSince(epoch, listNo, sinceMs)
    if (isStale && rows.length === 0) return undefined

    const covers = await coverOf(tx, freezes)
    const statuses = isStale ? await this.#blank(tx, epoch) : known.statuses
    for (const row of rows) {
      const isFrozen = row.status === STATUS.valid && covers(row)
      statuses[row.idx] = isFrozen ? STATUS.suspended : row.status
    }
    this.#loaded.set(name, {
      statuses,
      freezes: frozen,
      wholeAtMs: isStale ? tx.nowMs : known.wholeAtMs,
      seenAtMs: tx.nowMs,
    })
    return statuses
  }

  /** What a restore has forgotten was given in a list of an earlier epoch, and nobody can vouch for it. */
  async #blank(tx: Tx, epoch: number): Promise<Uint8Array> {
    const mark = await tx.deploymentMarks.find(EPOCH_MARK)
    const isEnded = epoch < (mark === undefined ? 1 : Number(mark))
    return new Uint8Array(STATUS_PLACES).fill(isEnded ? STATUS.invalid : STATUS.valid)
  }
}

/** Whether a freeze stops everything that a grant allows. One of a single action or deployment stops less than that. */
async function coverOf(tx: Tx, freezes: readonly FreezeRow[]): Promise<(entry: StatusEntryRow) => boolean> {
  const ids = new Set(freezes.map(({ id }) => id))
  if (ids.size === 0) return () => false
  const skills = freezes.some(({ kind }) => kind === 'publisher') ? await tx.skills.list() : []
  const publisherOf = new Map(skills.map(({ id, publisherId }) => [id, publisherId]))
  return ({ userId, agentId, skillId }) =>
    ids.has('platform:*') ||
    ids.has(`user:${userId}`) ||
    ids.has(`agent:${agentId}`) ||
    ids.has(`skill:${skillId}`) ||
    ids.has(`publisher:${publisherOf.get(skillId)}`)
}
