import { writeSync } from 'node:fs'
import { openSqliteStore } from '../../src/store/open-sqlite.ts'
import { emptyAction, leafOf } from '../contract/sample-rows.ts'

const IN_FLIGHT = 64

/** Writes without end, 64 at a time, and prints each number once the store has acknowledged it. */
const [file = '', migrationsFolder = '', firstNumber = '0'] = process.argv.slice(2)
const store = openSqliteStore({ file, migrationsFolder })
let next = Number(firstNumber)

async function writeForEver(): Promise<never> {
  for (;;) {
    const number = next++
    const kept = await store
      .transaction(async (tx) => {
        await tx.actions.insert(emptyAction({ id: `act_${number}`, eventId: `evt_${number}` }))
        await tx.log.append(leafOf(number, ['core', 'subj']), tx.nowMs)
        if (number % 7 === 3) throw new RangeError('a unit that fails in the middle of a batch')
        return true
      })
      .catch((error) => {
        if (!(error instanceof RangeError)) throw error
        return false
      })
    // Synchronous, so that what was printed had been acknowledged and nothing acknowledged waits to be printed.
    if (kept) writeSync(1, `${number}\n`)
  }
}

await Promise.all(Array.from({ length: IN_FLIGHT }, writeForEver))
