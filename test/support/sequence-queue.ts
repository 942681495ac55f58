import type { Lease } from '../../src/broker/leases.ts'
import { openSequencer } from '../../src/broker/sequence-log.ts'
import type { Store } from '../../src/ports/store.ts'

/** Nobody else sequences here. */
const HELD: Lease = {
  name: 'sequencer',
  isHeld: () => true,
  fence: () => 1,
  check: () => Promise.resolve(),
}

/**
 * A store that sequences after each unit of work, rather than a moment later: for tests that read the log right after
 * they wrote it and are not about sequencing.
 */
export function sequencedStore(store: Store): Store {
  const sequencer = openSequencer({ store }, HELD)
  let last: Promise<unknown> = Promise.resolve()
  const sequence = () => {
    const next = () => sequencer.run()
    last = last.then(next, next)
    return last
  }
  return {
    async transaction(work, owner) {
      const value = await store.transaction(work, owner)
      await sequence()
      return value
    },
    read: (work) => store.read(work),
    drained: () => store.drained(),
    treeHead: () => store.treeHead(),
    now: () => store.now(),
    confirmClock: () => store.confirmClock(),
    async close() {
      await last.catch(() => undefined)
      await store.close()
    },
  }
}
