import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { hashLeaf, rootOf } from '../../src/core/merkle/tree.ts'
import type { Store } from '../../src/ports/store.ts'
import { NOW_MS } from '../contract/sample-rows.ts'
import { MIGRATIONS, openTestStore } from '../support/sqlite-file.ts'
import { storeTree } from '../support/stored-tree.ts'
import { tempFolder } from '../support/temp-folder.ts'

const WORKER = fileURLToPath(new URL('crash-worker.ts', import.meta.url))

/** How many acknowledgements to wait for before the kill: from the first commits on to well into the load. */
const ROUNDS = [1, 65, 300, 777, 1500]

/** Runs the worker, kills it after so many acknowledgements, and returns all it printed. */
async function runUntilKilled(
  file: string,
  firstNumber: number,
  acknowledgements: number,
): Promise<number[]> {
  const worker = spawn(process.execPath, [WORKER, file, MIGRATIONS, String(firstNumber)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let printed = ''
  let lines = 0
  worker.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text
    lines += text.split('\n').length - 1
    if (lines >= acknowledgements) worker.kill('SIGKILL')
  })
  await ended(worker)
  expect(worker.signalCode).toBe('SIGKILL')
  // A last line without its end was cut by the kill.
  return printed.split('\n').slice(0, -1).map(Number)
}

async function ended(worker: ChildProcess): Promise<void> {
  await once(worker, 'close')
}

/** Checks that rows, leaves, parts and tree agree with one another, and returns the numbers that were kept. */
async function checkWhole(store: Store): Promise<Set<number>> {
  return store.read(async (tx) => {
    const leaves = await tx.log.leaves(0, 1_000_000)
    expect(leaves.map((leaf) => leaf.leafIndex)).toEqual(leaves.map((_, i) => i))
    const tree = storeTree(leaves.map((leaf) => hashLeaf(leaf.leaf)))
    expect(await store.treeHead()).toEqual({ treeSize: leaves.length, rootHash: rootOf(tree.edge) })
    const search = { userId: 'usr_1', agentId: null, skillId: null, status: null, fromMs: null, toMs: null }
    const actions = await tx.actions.list(search, { limit: 1_000_000, before: null })
    expect(new Set(actions.map((action) => action.eventId))).toEqual(
      new Set(leaves.map((leaf) => leaf.eventId)),
    )
    expect(actions.length).toBe(leaves.length)
    for (const leaf of leaves) expect((await tx.log.parts(leaf.eventId)).length).toBe(2)
    return new Set(leaves.map((leaf) => Number(leaf.eventId.slice('evt_'.length))))
  })
}

it('loses nothing it acknowledged when it is killed with 64 in flight', { timeout: 120_000 }, async () => {
  const file = join(tempFolder(), 'broker.db')
  const acknowledged = new Set<number>()
  for (const [round, acknowledgements] of ROUNDS.entries()) {
    const printed = await runUntilKilled(file, round * 1_000_000, acknowledgements)
    expect(printed.length).toBeGreaterThanOrEqual(acknowledgements)
    for (const number of printed) acknowledged.add(number)

    const store = openTestStore(file, NOW_MS)
    const kept = await checkWhole(store)
    expect([...acknowledged].filter((number) => !kept.has(number))).toEqual([])
    expect([...kept].filter((number) => number % 7 === 3)).toEqual([])
    // What was not acknowledged may be kept, but no more of it than was in flight.
    expect(kept.size - acknowledged.size).toBeLessThanOrEqual(64 * (round + 1))
    await store.close()
  }
})
