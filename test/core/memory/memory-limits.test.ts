import { expect, it } from 'vitest'
import { checkQuota, type MemoryLimits } from '../../../src/core/memory/memory-limits.ts'

const limits: MemoryLimits = { mostDays: 400, itemBytesMost: 100, itemsMost: 10, bytesMost: 400 }
const use = (items: number, bytes: number) => ({ items, bytes })

it.each([
  ['the last item', 10, use(9, 90), use(4, 40), undefined, undefined],
  ['one item too many', 10, use(10, 100), use(4, 40), undefined, 'memory_full'],
  ['the last byte', 100, use(3, 300), use(1, 100), undefined, undefined],
  ['one byte too many', 100, use(3, 301), use(1, 100), undefined, 'memory_full'],
  ['half of the items under one grant', 10, use(5, 50), use(5, 50), undefined, 'grant_memory_full'],
  ['half of the bytes under one grant', 100, use(2, 200), use(2, 101), undefined, 'grant_memory_full'],
  ['in place of another', 10, use(10, 100), use(5, 50), use(1, 10), undefined],
  ['an item that is too large', 101, use(0, 0), use(0, 0), undefined, 'item_too_large'],
  ['an item as large as may be', 100, use(0, 0), use(0, 0), undefined, undefined],
] as const)('%s', (_, size, ofUser, ofGrant, replaced, refusal) => {
  expect(checkQuota(limits, size, ofUser, ofGrant, replaced)).toBe(refusal)
})
