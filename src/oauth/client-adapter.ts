import { type Adapter, type AdapterPayload, errors } from 'oidc-provider'
import type { Broker } from '../broker/broker.ts'

/** Clients nobody has connected yet that are kept at once; more than this is a flood. */
const UNCONNECTED_MOST = 5_000
const METADATA_CHARACTERS_MOST = 16_384

/** Keeps clients that registered themselves (RFC 7591). They cannot be changed: a change is a new registration. */
export function clientAdapter(broker: Broker): Adapter {
  const { store } = broker
  return {
    async upsert(id, payload) {
      const metadata = JSON.stringify(payload)
      if (metadata.length > METADATA_CHARACTERS_MOST) {
        throw new errors.InvalidClientMetadata('client metadata is too large')
      }
      const isFull = await store.transaction(async (tx) => {
        if ((await tx.oauthClients.countUnconnected()) >= UNCONNECTED_MOST) return true
        await tx.oauthClients.insert({ id, metadata, createdAtMs: tx.nowMs, connectedAtMs: 0 })
        return false
      })
      if (isFull) throw new errors.TemporarilyUnavailable('too many clients wait for their first connection')
    },
    async find(id) {
      const row = await store.read(async (tx) => tx.oauthClients.find(id))
      return row && (JSON.parse(row.metadata) as AdapterPayload)
    },
    findByUserCode: async () => undefined,
    findByUid: async () => undefined,
    consume: async () => {},
    async destroy(id) {
      await store.transaction(async (tx) => tx.oauthClients.remove(id))
    },
    revokeByGrantId: async () => {},
  }
}
