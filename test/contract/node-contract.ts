import { describe, expect, it } from 'vitest'
import { NOW_MS } from './sample-rows.ts'
import type { StoreBench } from './store-bench.ts'

/** How every engine keeps what several processes agree by. */
export function describeNodes(bench: StoreBench): void {
  const { see, write } = bench
  const lease = { name: 'sequencer', holder: 'nod_a', fence: 1, expiresAtMs: NOW_MS + 3_000 }

  describe('what nodes agree by', () => {
    it('keeps a lease, and lets only one node be the first', async () => {
      expect(await see((tx) => tx.leases.find('sequencer'))).toBeUndefined()
      expect(await write(async (tx) => tx.leases.insert(lease))).toBe(true)
      expect(await write(async (tx) => tx.leases.insert({ ...lease, holder: 'nod_b' }))).toBe(false)
      expect(await write(async (tx) => tx.leases.lock('sequencer'))).toEqual(lease)
    })

    it('moves a lease to another holder, and takes it away', async () => {
      await write(async (tx) => tx.leases.insert(lease))
      const moved = { ...lease, holder: 'nod_b', fence: 2, expiresAtMs: NOW_MS + 9_000 }
      await write(async (tx) => tx.leases.save(moved))
      expect(await see((tx) => tx.leases.find('sequencer'))).toEqual(moved)
      await write(async (tx) => tx.leases.remove('sequencer'))
      expect(await see((tx) => tx.leases.find('sequencer'))).toBeUndefined()
    })

    it('lists the leases of one kind', async () => {
      await write(async (tx) => {
        for (const name of ['node:nod_a', 'sequencer', 'node:nod_b'])
          await tx.leases.insert({ ...lease, name })
      })
      const names = (await see((tx) => tx.leases.list('node:'))).map(({ name }) => name)
      expect(names.sort()).toEqual(['node:nod_a', 'node:nod_b'])
    })

    it('keeps a check value, and replaces it only where it is still what it was', async () => {
      const check = { name: 'key:log', value: 'kid_1', setAtMs: NOW_MS }
      expect(await write(async (tx) => tx.keyChecks.insert(check))).toBe(true)
      expect(await write(async (tx) => tx.keyChecks.insert({ ...check, value: 'other' }))).toBe(false)
      const later = { ...check, value: 'kid_2', setAtMs: NOW_MS + 1 }
      expect(await write(async (tx) => tx.keyChecks.replace(later, 'not it'))).toBe(false)
      expect(await write(async (tx) => tx.keyChecks.replace(later, 'kid_1'))).toBe(true)
      expect(await see((tx) => tx.keyChecks.list())).toEqual([later])
    })
  })
}
