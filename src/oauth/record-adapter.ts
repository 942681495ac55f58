import { type Adapter, type AdapterPayload, errors } from 'oidc-provider'
import type { Broker } from '../broker/broker.ts'
import { endFamily } from '../broker/token-family.ts'
import type { OauthRecordRow } from '../ports/oauth-rows.ts'
import { openPayload, recordKeyOf, sealPayload } from './record-secrets.ts'

/** Found by a secret of 120 random bits or more that is kept nowhere, and sealed under it. */
const SEALED: ReadonlySet<string> = new Set([
  'AuthorizationCode',
  'RefreshToken',
  'PushedAuthorizationRequest',
  'Interaction',
])
/**
 * A device's code is found by its user code too, when nobody knows its secret. It is then known by its key, written
 * with a mark no secret has, so that it can be saved again; whoever sends such a mark from outside finds nothing.
 */
const BY_KEY = '#'
/** Never kept: the server's own sign-in sessions (people have ours) and what is only signed. */
const UNKEPT: ReadonlySet<string> = new Set(['Session', 'AccessToken', 'ClientCredentials'])
/** Longer than a person takes to answer, so that a pushed request that expired meanwhile is still known as used. */
const KEEP_EXPIRED_MS = 3_600_000

/** Keeps one kind of the authorization server's records in our store. */
export function recordAdapter(broker: Broker, model: string): Adapter {
  const { store } = broker
  if (UNKEPT.has(model)) return unkept(broker, model)

  function toPayload(row: OauthRecordRow | undefined, secret: string): AdapterPayload | undefined {
    if (!row) return undefined
    const text = SEALED.has(model) ? openPayload(secret, row.payload) : row.payload
    const payload = JSON.parse(text) as AdapterPayload
    return {
      ...payload,
      jti: secret,
      ...(row.consumedAtMs === null ? {} : { consumed: Math.floor(row.consumedAtMs / 1000) }),
    }
  }

  return {
    async upsert(id, payload, expiresIn) {
      const row = rowOf(broker, model, id, payload, expiresIn)
      if (model === 'ReplayDetection') {
        const isNew = await store.transaction(async (tx) => tx.oauthRecords.insert(row))
        // Two requests with one proof at the same time: the second is a replay too.
        if (!isNew) throw new errors.InvalidGrant('DPoP proof JWT Replay detected')
        return
      }
      await store.transaction(async (tx) => tx.oauthRecords.save(row))
    },
    async find(id) {
      if (id.startsWith(BY_KEY)) return undefined
      return toPayload(await store.read(async (tx) => tx.oauthRecords.find(refOf(model, id))), id)
    },
    async findByUserCode(userCode) {
      const tag = broker.pseudonyms.userCodeTag(userCode)
      const row = await store.read(async (tx) => tx.oauthRecords.findByUserCode(tag))
      const payload = row && toPayload(row, `${BY_KEY}${row.recordKey}`)
      return payload && { ...payload, userCode }
    },
    findByUid: async () => undefined,
    async consume(id) {
      const used = await store.transaction(async (tx) => {
        const ref = refOf(model, id)
        const row = await tx.oauthRecords.find(ref)
        return { isFirst: await tx.oauthRecords.consume(ref, tx.nowMs), familyId: row?.familyId ?? '' }
      })
      if (used.isFirst) return
      // Whoever comes second may be the owner: then the first was a thief, and nothing of the family may go on.
      if (used.familyId !== '') await endFamily(broker, used.familyId)
      throw new errors.InvalidGrant('already used')
    },
    async destroy(id) {
      await store.transaction(async (tx) => tx.oauthRecords.remove(refOf(model, id)))
    },
    // The end of a family takes all of its records, whatever kind was asked for first.
    revokeByGrantId: async () => {},
  }
}

function unkept(broker: Broker, model: string): Adapter {
  return {
    upsert: async () => {},
    find: async () => undefined,
    findByUserCode: async () => undefined,
    findByUid: async () => undefined,
    consume: async () => {},
    destroy: async () => {},
    async revokeByGrantId(familyId) {
      // Asked for exactly once, whenever a family is revoked: by a replay, or by its own client.
      if (model === 'AccessToken') await endFamily(broker, familyId)
    },
  }
}

function refOf(model: string, id: string) {
  return { model, recordKey: keyOf(model, id) }
}

function keyOf(model: string, id: string): string {
  if (model === 'Grant' || model === 'ReplayDetection') return id
  return id.startsWith(BY_KEY) ? id.slice(BY_KEY.length) : recordKeyOf(id)
}

function rowOf(
  broker: Broker,
  model: string,
  id: string,
  payload: AdapterPayload,
  expiresIn: number | undefined,
): Omit<OauthRecordRow, 'consumedAtMs'> {
  const { jti: _, userCode, consumed: __, ...kept } = payload
  const text = JSON.stringify(kept)
  const { nowMs } = broker.store.now()
  return {
    model,
    recordKey: keyOf(model, id),
    userId: payload.accountId ?? '',
    familyId: model === 'Grant' ? id : (payload.grantId ?? ''),
    userCodeTag: userCode === undefined ? '' : broker.pseudonyms.userCodeTag(userCode),
    payload: SEALED.has(model) ? sealPayload(id, text) : text,
    expiresAtMs: nowMs + (expiresIn ?? 0) * 1000 + KEEP_EXPIRED_MS,
  }
}
