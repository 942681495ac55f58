import type { KeyStoreMark } from '../ports/cells.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'

const NAME = 'key_store'

export type KeyStoreCheck =
  | { readonly kind: 'ok' }
  | { readonly kind: 'key_store_older' | 'other_key_store'; readonly message: string }

/**
 * Whether the key store is the one this database belongs to, and none from before something was erased in it: what
 * was erased would come back with an older one. Asked before anything is served.
 */
export async function checkKeyStore(broker: Pick<Broker, 'store' | 'cells'>): Promise<KeyStoreCheck> {
  const mark = await broker.cells.mark()
  const known = await broker.store.read(knownKeyStore)
  if (known === undefined) return { kind: 'ok' }
  if (known.id !== mark.id)
    return {
      kind: 'other_key_store',
      message: 'the key store is not the one this database was sealed with: put the right one in its place',
    }
  if (mark.generation < known.generation)
    return {
      kind: 'key_store_older',
      message: `the key store is from before something was erased (generation ${mark.generation}, and ${known.generation} is known): what was erased would come back. Put the newest key store in its place; an older one is never used`,
    }
  return { kind: 'ok' }
}

/** Writes down how far the key store has come, so that an older copy of it is known later. Writes only what is new. */
export async function noteKeyStore(broker: Pick<Broker, 'store' | 'cells'>): Promise<void> {
  const mark = await broker.cells.mark()
  const known = await broker.store.read(knownKeyStore)
  if (known?.id === mark.id && known.generation >= mark.generation) return
  await broker.store.transaction(async (tx) => tx.deploymentMarks.set(NAME, keyStoreText(mark)))
}

/** A key store's mark as the database keeps it. */
export function keyStoreText({ id, generation }: KeyStoreMark): string {
  return `${id} ${generation}`
}

/** The newest mark that the database has seen. */
export async function knownKeyStore(tx: Tx): Promise<KeyStoreMark | undefined> {
  const [id, generation] = (await tx.deploymentMarks.find(NAME))?.split(' ') ?? []
  return id === undefined || generation === undefined ? undefined : { id, generation: Number(generation) }
}
