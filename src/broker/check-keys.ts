import { KEY_PURPOSES, type KeyPurpose } from '../ports/signer.ts'
import type { Broker } from './broker.ts'

export type KeysCheck = { readonly kind: 'ok' } | { readonly kind: 'keys_differ'; readonly message: string }

const PSEUDONYMS = 'pseudonyms'
const nameOf = (purpose: KeyPurpose) => `key:${purpose}`

/**
 * Holds the keys of this process against those the database was served with before: a node with others would sign a
 * second log under the name of the first, or name one user by two pseudonyms.
 *
 * @param isAlone where no other node serves it: then keys that were changed while nobody served are taken as they are.
 */
export async function checkKeys(
  broker: Pick<Broker, 'store' | 'signer' | 'pseudonyms'>,
  isAlone: boolean,
): Promise<KeysCheck> {
  const pseudonyms = broker.pseudonyms.checkValue()
  const published = broker.signer.jwks().keys
  return broker.store.transaction(async (tx) => {
    const known = new Map((await tx.keyChecks.list()).map(({ name, value }) => [name, value]))
    const note = async (name: string, value: string) => {
      const before = known.get(name)
      const row = { name, value, setAtMs: tx.nowMs }
      return before === undefined ? tx.keyChecks.insert(row) : tx.keyChecks.replace(row, before)
    }
    if ((known.get(PSEUDONYMS) ?? pseudonyms) !== pseudonyms)
      return differ('pseudonyms.secret is not the one')
    if (!known.has(PSEUDONYMS)) await note(PSEUDONYMS, pseudonyms)
    for (const purpose of KEY_PURPOSES) {
      const before = known.get(nameOf(purpose))
      const { kid } = broker.signer.currentKey(purpose)
      if (before === kid) continue
      const isSuccessor = published.some((key) => key.cs_purpose === purpose && key.kid === before)
      if (before !== undefined && !isSuccessor && !isAlone)
        return differ(`the ${purpose} key ${before} is not among the keys`)
      await note(nameOf(purpose), kid)
    }
    return { kind: 'ok' }
  })
}

/** Remembers a key that was just made: a node without it must not start any more. */
export async function noteKey(
  broker: Pick<Broker, 'store'>,
  purpose: KeyPurpose,
  kid: string,
): Promise<void> {
  await broker.store.transaction(async (tx) => {
    const name = nameOf(purpose)
    const before = (await tx.keyChecks.list()).find((row) => row.name === name)
    const row = { name, value: kid, setAtMs: tx.nowMs }
    await (before ? tx.keyChecks.replace(row, before.value) : tx.keyChecks.insert(row))
  })
}

function differ(what: string): KeysCheck {
  return {
    kind: 'keys_differ',
    message: `${what} that this database is served with: give every node the same COUNTERSIGN_SECRETS folder, or copies of it`,
  }
}
