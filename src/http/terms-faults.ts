import type { TermsFault } from '../core/grant/terms-check.ts'
import type { Fault } from './problem.ts'

/** Where terms do not fit the manifest. */
export function termsFaults(faults: readonly TermsFault[]): Fault[] {
  return faults.map(({ pointer, code, detail }) => ({ pointer, code, message: detail }))
}

/** Where something would allow more than what was asked for or given before. */
export function narrowFaults(faults: readonly { pointer: string; code: string }[]): Fault[] {
  return faults.map((fault) => ({ ...fault, message: 'This is not proven narrower than before.' }))
}
