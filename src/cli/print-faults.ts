import type { ManifestFault } from '../core/manifest/manifest-fault.ts'
import { visibleText } from '../core/text-rules.ts'
import type { Terminal } from './terminal.ts'

/** Prints each fault with where it is and how to mend it; odd characters are shown, not obeyed. */
export function printFaults(path: string, faults: readonly ManifestFault[], terminal: Terminal): void {
  for (const fault of faults) {
    const severity =
      fault.severity === 'error' ? terminal.paint('red', 'error') : terminal.paint('yellow', 'warning')
    const place = terminal.paint('bold', `${path}#${visibleText(fault.pointer)}`)
    terminal.out(`${severity} ${place} ${fault.code}`)
    terminal.out(`    ${visibleText(fault.message)}`)
    terminal.out(`    ${terminal.paint('dim', 'mend:')} ${visibleText(fault.mend)}`)
  }
}

export function hasErrors(faults: readonly ManifestFault[]): boolean {
  return faults.some((fault) => fault.severity === 'error')
}
