import { afterEach, beforeEach, expect } from 'vitest'
import type { Answer, Page, Store, Tx } from '../../src/ports/store.ts'

/** Opens an empty store whose clock stands at `NOW_MS`; `remove` closes it and deletes what it kept. */
export type OpenStore = () => Promise<{ store: Store; remove(): Promise<void> }>

/** A fresh store for each test of the block around it. */
export type StoreBench = {
  readonly store: Store
  write(work: (tx: Tx) => Promise<unknown>): Promise<unknown>
  /** Reads inside a transaction and beside it; both must see the same. */
  see<T>(read: (tx: Tx) => Answer<T>): Promise<T>
}

export const FIRST_PAGE: Page = { limit: 100, before: null }

export const NO_SEARCH = {
  userId: null,
  agentId: null,
  skillId: null,
  status: null,
  fromMs: null,
  toMs: null,
}

export function storeBench(open: OpenStore): StoreBench {
  let opened: Awaited<ReturnType<OpenStore>> | undefined
  beforeEach(async () => {
    opened = await open()
  })
  afterEach(() => opened?.remove())
  const store = () => {
    if (opened === undefined) throw new Error('a store is open within tests only')
    return opened.store
  }
  return {
    get store() {
      return store()
    },
    write: (work) => store().transaction(work),
    async see(read) {
      const inside = await store().transaction(async (tx) => read(tx))
      expect(await store().read(async (tx) => read(tx))).toEqual(inside)
      return inside
    },
  }
}
