import type { Broker } from './broker.ts'

export type PublisherView = {
  readonly publisherId: string
  readonly createdAtMs: number
  readonly keys: readonly {
    readonly kid: string
    readonly state: string
    readonly addedBy: string
    readonly addedAtMs: number
  }[]
}

/** Every publisher with its keys, those revoked since among them. */
export function listPublishers(broker: Broker): Promise<PublisherView[]> {
  return broker.store.read(async (tx) => {
    const views: PublisherView[] = []
    for (const { id, createdAtMs } of await tx.publishers.list()) {
      const keys = (await tx.publishers.keys(id)).map(({ kid, state, addedBy, addedAtMs }) => ({
        kid,
        state,
        addedBy,
        addedAtMs,
      }))
      views.push({ publisherId: id, createdAtMs, keys })
    }
    return views
  })
}
