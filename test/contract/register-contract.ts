import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CheckpointRegister, RegisterEntry } from '../../src/ports/checkpoint-register.ts'

export const ORIGIN = 'broker.example/log'

/** Every register opened is one more process at the same place. */
export type RegisterBench = { open(): CheckpointRegister; remove(): Promise<void> }

export function entry(treeSize: number, fill = treeSize): RegisterEntry {
  return { origin: ORIGIN, treeSize, rootHash: Buffer.alloc(32, fill) }
}

/** What every place a register can be at must do. */
export function describeRegister(name: string, openBench: () => Promise<RegisterBench>): void {
  describe(name, () => {
    let bench: RegisterBench
    let register: CheckpointRegister
    beforeEach(async () => {
      bench = await openBench()
      register = bench.open()
    })
    afterEach(() => bench.remove())

    it('is empty at first, and then holds what it was moved to, for every process', async () => {
      expect(await register.read()).toBeUndefined()
      expect(await register.advance(undefined, entry(3))).toBe(true)
      expect(await register.advance(entry(3), entry(5))).toBe(true)
      expect(await register.read()).toEqual(entry(5))
      expect(await bench.open().read()).toEqual(entry(5))
    })

    it.each([
      ['nothing, where there is something', undefined],
      ['another size', entry(4)],
      ['another root of the same size', entry(3, 9)],
    ])('does not move from %s', async (_, from) => {
      await register.advance(undefined, entry(3))
      expect(await register.advance(from, entry(7))).toBe(false)
      expect(await register.read()).toEqual(entry(3))
    })

    it('does not move from something, where there is nothing', async () => {
      expect(await register.advance(entry(3), entry(7))).toBe(false)
      expect(await register.read()).toBeUndefined()
    })

    it('never shrinks, stands still or becomes another log’s', async () => {
      await register.advance(undefined, entry(3))
      for (const to of [entry(3, 8), entry(2), { ...entry(9), origin: 'broker.example/log/2' }])
        await expect(register.advance(entry(3), to)).rejects.toThrow(RangeError)
      expect(await register.read()).toEqual(entry(3))
    })

    it('lets one of many processes win, each time', async () => {
      const others = Array.from({ length: 8 }, () => bench.open())
      let from: RegisterEntry | undefined
      for (let round = 1; round <= 5; round += 1) {
        const tries = others.map((other, i) => other.advance(from, entry(round, 10 * round + i)))
        const settled = await Promise.allSettled(tries)
        const won = settled.flatMap((one, i) => (one.status === 'fulfilled' && one.value ? [i] : []))
        expect(won).toHaveLength(1)
        from = await register.read()
        expect(from).toEqual(entry(round, 10 * round + (won[0] ?? -1)))
      }
    })
  })
}
