import { LRUCache } from 'lru-cache'
import { afterWrongGuess, type GuessRecord, guessWaitMs } from '../core/people/guess-wait.ts'

/** Slows guesses down per address and target; memory is bounded, and a right guess clears the record. */
export type GuessThrottle = {
  /** Seconds to wait before the next guess is looked at; 0 for none. */
  waitSeconds(address: string, target: string): number
  wrong(address: string, target: string): void
  right(address: string, target: string): void
}

const RECORDS_MOST = 20_000

/** @param nowMs a clock that never steps. */
export function createGuessThrottle(nowMs: () => number): GuessThrottle {
  const records = new LRUCache<string, GuessRecord>({ max: RECORDS_MOST })
  const keyOf = (address: string, target: string) => JSON.stringify([address, target])
  return {
    waitSeconds: (address, target) =>
      Math.ceil(guessWaitMs(records.get(keyOf(address, target)), nowMs()) / 1000),
    wrong(address, target) {
      const key = keyOf(address, target)
      records.set(key, afterWrongGuess(records.get(key), nowMs()))
    },
    right(address, target) {
      records.delete(keyOf(address, target))
    },
  }
}
