import type { Config } from '../config.ts'
import { countOf } from './count-of.ts'
import { livingEpochs } from './deployment.ts'
import type { Terminal } from './terminal.ts'

const DAY_MS = 86_400_000

/** Says how old the key-encryption key is, where it can be read: one that is not changed in time keeps old copies alive. */
export function printKeyEpoch(config: Config, nowMs: number, terminal: Terminal): void {
  const keys = livingEpochs(config)
  if (!keys) return
  const ageMs = Math.max(0, nowMs - (keys.begunAtMs.get(keys.newestEpoch) ?? 0))
  const isTurning = keys.living.size > 1
  const told = `key epoch ${keys.newestEpoch} began ${countOf(Math.floor(ageMs / DAY_MS), 'day')} ago${isTurning ? ', and the key before it is not destroyed yet' : ''}`
  terminal.out(isTurning || ageMs > config.keyEpochMs + DAY_MS ? terminal.paint('yellow', told) : told)
}
