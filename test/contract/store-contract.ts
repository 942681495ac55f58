import { describe, expect, it } from 'vitest'
import { describeActions } from './action-contract.ts'
import { describeConsent } from './consent-contract.ts'
import { describeCounters } from './counter-contract.ts'
import { describeLog } from './log-contract.ts'
import { describeMemory } from './memory-contract.ts'
import { describeNodes } from './node-contract.ts'
import { describePages } from './page-contract.ts'
import { describeRegistry } from './registry-contract.ts'
import { filledAction, leafOf, NOW_MS } from './sample-rows.ts'
import { type OpenStore, storeBench } from './store-bench.ts'

/** What every engine behind the store's port must do. */
export function describeStore(name: string, open: OpenStore): void {
  describe(name, () => {
    const bench = storeBench(open)
    const { see, write } = bench
    describeRegistry(bench)
    describeConsent(bench)
    describeActions(bench)
    describeCounters(bench)
    describeNodes(bench)
    describePages(bench)
    describeLog(bench)
    describeMemory(bench)

    describe('transactions', () => {
      it('keep all of a unit of work or nothing, the leaf included', async () => {
        const failing = write(async (tx) => {
          await tx.actions.insert(filledAction())
          await tx.log.append(leafOf(0, ['core']), NOW_MS)
          throw new Error('changed my mind')
        })
        await expect(failing).rejects.toThrow('changed my mind')
        expect(await see((tx) => tx.actions.find('act_1'))).toBeUndefined()
        expect(await see((tx) => tx.log.leaves(0, 10))).toEqual([])
        expect(await see((tx) => tx.log.parts('evt_0'))).toEqual([])
        expect((await bench.store.treeHead()).treeSize).toBe(0)
      })

      it('see what they wrote themselves, and the one clock', async () => {
        await write(async (tx) => {
          await tx.actions.insert(filledAction())
          expect(await tx.actions.find('act_1')).toEqual(filledAction())
          expect([tx.nowMs, tx.clockTrusted]).toEqual([NOW_MS, true])
        })
      })

      it('are not for readers: a write through read is refused', async () => {
        await expect(bench.store.read(async (tx) => tx.actions.insert(filledAction()))).rejects.toThrow()
        await expect(bench.store.read(async (tx) => tx.log.append(leafOf(0), NOW_MS))).rejects.toThrow()
        expect(await see((tx) => tx.actions.find('act_1'))).toBeUndefined()
      })

      it('are refused after the store closed, and closing twice is harmless', async () => {
        await bench.store.close()
        await bench.store.close()
        await expect(write(async () => undefined)).rejects.toThrow('closed')
      })
    })
  })
}
