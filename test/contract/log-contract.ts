import { describe, expect, it } from 'vitest'
import { appendLeafHash, EMPTY_EDGE, hashLeaf, hashNode, rootOf } from '../../src/core/merkle/tree.ts'
import { leafOf, NOW_MS } from './sample-rows.ts'
import type { StoreBench } from './store-bench.ts'

/** How every engine keeps the log and its tree. */
export function describeLog(bench: StoreBench): void {
  const { see, write } = bench

  describe('the log', () => {
    it('keeps leaves with none to three parts, in the order they were appended', async () => {
      const leaves = [
        leafOf(0),
        leafOf(1, ['core']),
        leafOf(2, ['core', 'subj']),
        leafOf(3, ['core', 'subj', 'body']),
      ]
      await write(async (tx) => {
        for (const leaf of leaves) await tx.log.append(leaf, NOW_MS + 5)
      })
      const rows = leaves.map(({ parts: _, userId: __, ...leaf }, leafIndex) => ({
        leafIndex,
        ...leaf,
        atMs: NOW_MS + 5,
      }))
      expect(await see((tx) => tx.log.leaves(0, 10))).toEqual(rows)
      expect(await see((tx) => tx.log.leaves(1, 2))).toEqual(rows.slice(1, 3))
      expect(await see((tx) => tx.log.leafHashes(2, 10))).toEqual(rows.slice(2).map((row) => row.leafHash))
      expect(await see((tx) => tx.log.leafAt(3))).toEqual(rows[3])
      expect(await see((tx) => tx.log.leafAt(4))).toBeUndefined()
      expect(await see((tx) => tx.log.leafByEvent('evt_2'))).toEqual(rows[2])
      expect(await see((tx) => tx.log.leafByEvent('evt_9'))).toBeUndefined()
      for (const leaf of leaves) {
        const parts = leaf.parts
          .map((part) => ({ eventId: leaf.eventId, userId: leaf.userId, ...part }))
          .sort((a, b) => (a.part < b.part ? -1 : 1))
        expect(await see((tx) => tx.log.parts(leaf.eventId))).toEqual(parts)
        for (const part of parts) {
          expect(await see((tx) => tx.log.part(leaf.eventId, part.part))).toEqual(part)
        }
      }
      expect(await see((tx) => tx.log.part('evt_1', 'body'))).toBeUndefined()
    })

    it('has the head and the tile rows that RFC 9162 says', async () => {
      expect((await bench.store.treeHead()).treeSize).toBe(0)
      const count = 515
      await write(async (tx) => {
        for (let i = 0; i < count; i++) await tx.log.append(leafOf(i), NOW_MS)
      })
      const hashes = Array.from({ length: count }, (_, i) => leafOf(i).leafHash)
      let edge = EMPTY_EDGE
      for (const hash of hashes) edge = appendLeafHash(edge, hash).edge
      expect(await bench.store.treeHead()).toEqual({ treeSize: count, rootHash: rootOf(edge) })
      const tiles = [perfectRoot(hashes.slice(0, 256)), perfectRoot(hashes.slice(256, 512))]
      expect(await see((tx) => tx.log.nodes(8, 0, 10))).toEqual(tiles)
      expect(await see((tx) => tx.log.nodes(8, 1, 10))).toEqual(tiles.slice(1))
      expect(await see((tx) => tx.log.nodes(16, 0, 10))).toEqual([])
    })

    it('refuses a second leaf of the same event', async () => {
      const twice = write(async (tx) => {
        await tx.log.append(leafOf(0), NOW_MS)
        await tx.log.append(leafOf(0), NOW_MS)
      })
      await expect(twice).rejects.toThrow()
      expect((await bench.store.treeHead()).treeSize).toBe(0)
    })

    it('keeps checkpoints that grow; the same head again changes nothing', async () => {
      const first = { treeSize: 3, rootHash: Buffer.alloc(32, 3), note: 'note 3', atMs: NOW_MS }
      const second = { treeSize: 9, rootHash: Buffer.alloc(32, 9), note: 'note 9', atMs: NOW_MS + 1 }
      const newest = () => see((tx) => tx.log.newestCheckpoint())
      expect(await newest()).toBeUndefined()
      await write(async (tx) => tx.log.saveCheckpoint(first))
      expect(await newest()).toEqual(first)
      await write(async (tx) => tx.log.saveCheckpoint(second))
      await write(async (tx) => tx.log.saveCheckpoint({ ...second, note: 'signed again' }))
      expect(await newest()).toEqual(second)
      for (const bad of [first, { ...second, rootHash: Buffer.alloc(32, 1) }]) {
        await expect(write(async (tx) => tx.log.saveCheckpoint(bad))).rejects.toThrow()
      }
      expect(await newest()).toEqual(second)
    })
  })
}

/** The root over a power of two of hashes, by the definition. */
function perfectRoot(hashes: readonly Buffer[]): Buffer {
  const half = hashes.length / 2
  const [only = hashLeaf(Buffer.alloc(0))] = hashes
  return half < 1 ? only : hashNode(perfectRoot(hashes.slice(0, half)), perfectRoot(hashes.slice(half)))
}
