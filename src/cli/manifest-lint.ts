import type { Command } from 'commander'
import { lintManifest } from '../core/manifest/lint-manifest.ts'
import type { ManifestFault } from '../core/manifest/manifest-fault.ts'
import { parseManifest } from '../core/manifest/parse-manifest.ts'
import { countOf } from './count-of.ts'
import { hasErrors, printFaults } from './print-faults.ts'
import { readText } from './read-input.ts'
import type { Terminal } from './terminal.ts'

type Options = { allowDevelopment: boolean; json: boolean }

export function addManifestLint(manifest: Command, terminal: Terminal): void {
  manifest
    .command('lint')
    .description('list the faults of manifests, where each one is and how to mend it')
    .argument('<files...>', 'manifest.json files')
    .option('--allow-development', 'allow an http endpoint on loopback', false)
    .option('--json', 'print the faults as JSON', false)
    .action((files: string[], options: Options) => {
      const results = files.map((file) => ({ file, faults: faultsOf(readText(file), options) }))
      if (options.json) terminal.out(JSON.stringify(results, null, 2))
      else for (const { file, faults } of results) report(file, faults, terminal)
      terminal.exitWith(results.some(({ faults }) => hasErrors(faults)) ? 1 : 0)
    })
}

function faultsOf(text: string, { allowDevelopment }: Options): readonly ManifestFault[] {
  const parsed = parseManifest(text)
  return parsed.ok ? lintManifest(parsed.manifest, { allowDevelopment }) : parsed.faults
}

function report(file: string, faults: readonly ManifestFault[], terminal: Terminal): void {
  printFaults(file, faults, terminal)
  const errors = faults.filter((fault) => fault.severity === 'error').length
  const warnings = faults.length - errors
  if (errors > 0)
    terminal.out(
      terminal.paint('red', `${file}: ${countOf(errors, 'error')}, ${countOf(warnings, 'warning')}`),
    )
  else terminal.out(terminal.paint('green', `${file}: no errors, ${countOf(warnings, 'warning')}`))
}
