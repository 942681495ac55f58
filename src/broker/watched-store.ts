import type { Store, Tx } from '../ports/store.ts'
import type { AuthorityChange, AuthorityChanges } from './authority-changes.ts'

type Writes<Repository> = {
  readonly [Name in keyof Repository]?: Repository[Name] extends (...args: infer Args) => unknown
    ? (...args: Args) => AuthorityChange
    : never
}

type Watched = 'grants' | 'agents' | 'skills' | 'approvals' | 'consentRequests'

/** The writes that change what agents may see, whichever use case makes them. */
const WATCHED: { readonly [Name in Watched]: Writes<Tx[Name]> } = {
  grants: {
    insert: ({ agentId }) => ({ kind: 'grants', agentId }),
    update: ({ agentId }) => ({ kind: 'grants', agentId }),
  },
  agents: { setStatus: (agentId) => ({ kind: 'agent', agentId }) },
  skills: { setCurrent: () => ({ kind: 'skills' }) },
  approvals: { setStatus: (id) => ({ kind: 'answered', id }) },
  consentRequests: { decide: (id) => ({ kind: 'answered', id }) },
}

/** A store that tells, after each commit, what of authority it changed. What is rolled back is not told. */
export function watchStore(store: Store, changes: AuthorityChanges): Store {
  const transaction: Store['transaction'] = async (work, owner) => {
    let noted: AuthorityChange[] = []
    const result = await store.transaction((tx) => {
      // An engine may run the work again: only the run that was committed counts.
      noted = []
      return work(watchTx(tx, noted))
    }, owner)
    for (const change of noted) changes.tell(change)
    return result
  }
  return new Proxy(store, {
    get: (target, name) => (name === 'transaction' ? transaction : boundMember(target, name)),
  })
}

function watchTx(tx: Tx, noted: AuthorityChange[]): Tx {
  return new Proxy(tx, {
    get(target, name) {
      const writes = Object.hasOwn(WATCHED, name) ? WATCHED[name as Watched] : undefined
      const member: unknown = Reflect.get(target, name, target)
      return writes && typeof member === 'object' && member !== null
        ? watchRepository(member, writes, noted)
        : member
    },
  })
}

function watchRepository(repository: object, writes: object, noted: AuthorityChange[]): object {
  return new Proxy(repository, {
    get(target, name) {
      const member = boundMember(target, name)
      const note: unknown = Object.hasOwn(writes, name) ? Reflect.get(writes, name) : undefined
      if (typeof member !== 'function' || typeof note !== 'function') return member
      return (...args: unknown[]) => {
        noted.push(note(...args) as AuthorityChange)
        return member(...args) as unknown
      }
    },
  })
}

/** Members of classes with private fields work only on the object itself. */
function boundMember(target: object, name: string | symbol): unknown {
  const member: unknown = Reflect.get(target, name, target)
  return typeof member === 'function' ? member.bind(target) : member
}
