import { claimLease, type HeldLease, isHeldBy, type LeaseState, releasedLease } from '../core/nodes/lease.ts'
import type { Store, Tx } from '../ports/store.ts'
import { type BackgroundLoop, startLoop } from './background-loop.ts'
import type { Logger } from './broker.ts'

/** Work that one node at a time may do. */
export const LEASED_WORK = ['sequencer', 'sweeper', 'take_up'] as const
export type LeasedWork = (typeof LEASED_WORK)[number]

/** The prefix of the leases that nodes show by that they are alive. */
export const HEARTBEAT = 'node:'

/** Somebody else has the lease: what was begun under it is not written. */
export class LeaseLost extends Error {
  override name = 'LeaseLost'
}

export type Lease = {
  readonly name: string
  /** Whether this node believes to hold it. Nothing may be written on the strength of this alone. */
  isHeld(): boolean
  /** The fence it is held under; undefined while it is not. Another one means that others may have worked since. */
  fence(): number | undefined
  /**
   * Locks the lease until the transaction ends, so that nobody can take it before what is written here is durable.
   * @throws LeaseLost if somebody took it since.
   */
  check(tx: Tx): Promise<void>
}

export type NodeLeases = {
  readonly nodeId: string
  of(work: LeasedWork): Lease
  /** Whether the others see that this node is alive. */
  isLive(): boolean
  /** Takes what is free and renews what is held, the heartbeat among it. */
  holdAll(): Promise<void>
  /** Goes on doing so by itself. */
  start(logger: Logger): void
  /** Gives everything back, so that others need not wait for its end. */
  stop(): Promise<void>
}

export type LeaseOptions = {
  readonly nodeId: string
  /** How long a lease lasts from its last renewal. */
  readonly ttlMs: number
  /** Renewed this often; well within the time it lasts. */
  readonly renewEveryMs: number
  /** Where no other process can be running on the database: leases of those that did are taken over at once. */
  readonly isAlone: boolean
  readonly monotonicMs?: () => number
}

/** For a database of several processes: what a killed one held is free after three seconds. */
export const SHARED_LEASES = { ttlMs: 3_000, renewEveryMs: 750, isAlone: false } as const
/** For a process that owns its database: claimed once, without a write while it is idle. */
export const LONE_LEASES = { ttlMs: 365 * 86_400_000, renewEveryMs: 3_600_000, isAlone: true } as const

/** Not the platform's own turn: a renewal must not wait behind whatever else concerns nobody. */
const LEASES = { userId: ':leases' } as const

type Holding = HeldLease & { readonly untilMs: number }

/** The leases of one node on its database. Nothing is held before `holdAll`. */
export function openLeases(store: Store, options: LeaseOptions): NodeLeases {
  const { nodeId, ttlMs, renewEveryMs, isAlone } = options
  const monotonicMs = options.monotonicMs ?? (() => performance.now())
  const heartbeat = `${HEARTBEAT}${nodeId}`
  // Always locked in this order, whoever locks several.
  const names = [heartbeat, ...LEASED_WORK].sort()
  const holding = new Map<string, Holding>()
  let loop: BackgroundLoop | undefined
  let isOver = false

  function heldNow(name: string): Holding | undefined {
    const held = holding.get(name)
    return held && monotonicMs() < held.untilMs ? held : undefined
  }

  async function holdAll(): Promise<void> {
    if (isOver) return
    // Counted from before the transaction: a lease must not seem to last longer here than it does there.
    const startedMs = monotonicMs()
    const free = isAlone ? names : await store.read((tx) => worthLocking(tx))
    const held = await store.transaction(async (tx) => {
      const now: LeaseState[] = []
      for (const name of free) {
        const lease = await claim(tx, name)
        if (lease) now.push(lease)
      }
      return now
    }, LEASES)
    for (const { name, holder, fence } of held)
      holding.set(name, { holder, fence, untilMs: startedMs + ttlMs })
    for (const name of names) if (!held.some((lease) => lease.name === name)) holding.delete(name)
  }

  /** What this node holds, and what nobody does: rows of others are left alone, or every node would wait for them. */
  async function worthLocking(tx: Tx): Promise<string[]> {
    const rows = new Map((await tx.leases.list('')).map((lease) => [lease.name, lease]))
    return names.filter((name) => {
      const row = rows.get(name)
      return row === undefined || row.holder === nodeId || row.holder === '' || row.expiresAtMs <= tx.nowMs
    })
  }

  async function claim(tx: Tx, name: string): Promise<LeaseState | undefined> {
    const before = await tx.leases.lock(name)
    const held = holding.get(name)
    const claimed = claimLease(before, { name, nodeId, held, ttlMs, takesOver: isAlone }, tx.nowMs)
    if (claimed.kind === 'taken') return undefined
    if (before === undefined) return (await tx.leases.insert(claimed.lease)) ? claimed.lease : undefined
    await tx.leases.save(claimed.lease)
    return claimed.lease
  }

  return {
    nodeId,
    of: (name) => ({
      name,
      isHeld: () => heldNow(name) !== undefined,
      fence: () => heldNow(name)?.fence,
      async check(tx) {
        const held = holding.get(name)
        if (!held || !isHeldBy(await tx.leases.lock(name), held)) {
          holding.delete(name)
          throw new LeaseLost(`the lease ${name} is somebody else's`)
        }
      },
    }),
    isLive: () => heldNow(heartbeat) !== undefined,
    holdAll,
    start(logger) {
      loop ??= startLoop('leases', renewEveryMs, logger, holdAll)
    },
    async stop() {
      isOver = true
      await loop?.stop()
      const held = [...holding]
      holding.clear()
      if (held.length === 0) return
      await store.transaction(async (tx) => {
        for (const [name, lease] of held.sort(([a], [b]) => (a < b ? -1 : 1))) {
          const row = await tx.leases.lock(name)
          if (row && isHeldBy(row, lease)) await tx.leases.save(releasedLease(row))
        }
      }, LEASES)
    },
  }
}

/**
 * A store for leased work: each of its transactions first makes sure, under a lock, that the lease is still held. A
 * node that was paused and wakes up after its lease went to another can read through it, and write nothing.
 */
export function fencedStore(store: Store, lease: Lease): Store {
  return {
    transaction: (work, owner) =>
      store.transaction(async (tx) => {
        await lease.check(tx)
        return work(tx)
      }, owner),
    drained: () => store.drained(),
    read: (work) => store.read(work),
    treeHead: () => store.treeHead(),
    now: () => store.now(),
    confirmClock: () => store.confirmClock(),
    ...(store.overwriteRemnants
      ? { overwriteRemnants: () => store.overwriteRemnants?.() ?? Promise.resolve(true) }
      : {}),
    close: () => store.close(),
  }
}

/** Repeats work on the node that holds the lease, and does nothing on the others. */
export function startLeasedLoop(
  lease: Lease,
  loop: { readonly name: string; readonly pauseMs: number; readonly logger: Logger },
  work: () => Promise<unknown>,
): BackgroundLoop {
  return startLoop(loop.name, loop.pauseMs, loop.logger, async () => {
    if (!lease.isHeld()) return
    try {
      await work()
    } catch (error) {
      if (!(error instanceof LeaseLost)) throw error
      loop.logger.warn('lease_lost', { lease: lease.name })
    }
  })
}
