import type { Command } from 'commander'
import type { ManifestChange } from '../core/manifest/manifest-change.ts'
import { diffManifests } from '../core/manifest/manifest-diff.ts'
import { visibleText } from '../core/text-rules.ts'
import { readManifest } from './read-input.ts'
import type { Terminal } from './terminal.ts'

type Options = { json: boolean }

export function addManifestDiff(manifest: Command, terminal: Terminal): void {
  manifest
    .command('diff')
    .description('list what a newer version asks of users again; exit code 1 if anything')
    .argument('<consented>', 'the manifest.json users agreed to')
    .argument('<next>', 'the newer manifest.json')
    .option('--json', 'print the changes as JSON', false)
    .action((consentedFile: string, nextFile: string, options: Options) => {
      const consented = readManifest(consentedFile, terminal)
      const next = readManifest(nextFile, terminal)
      if (!consented || !next) return
      const diff = diffManifests(consented.manifest, next.manifest)
      if (options.json) terminal.out(JSON.stringify(diff, null, 2))
      else for (const [action, changes] of Object.entries(diff.perAction)) report(action, changes, terminal)
      terminal.exitWith(Object.values(diff.perAction).some((changes) => changes.length > 0) ? 1 : 0)
    })
}

function report(action: string, changes: readonly ManifestChange[], terminal: Terminal): void {
  if (changes.length === 0) {
    terminal.out(`${terminal.paint('green', action)} unchanged or narrower`)
    return
  }
  terminal.out(`${terminal.paint('yellow', action)} needs new consent`)
  for (const change of changes) {
    terminal.out(`    ${change.code} ${visibleText(change.pointer)}`)
    if (change.before !== undefined)
      terminal.out(`        before: ${visibleText(JSON.stringify(change.before))}`)
    if (change.after !== undefined)
      terminal.out(`        after:  ${visibleText(JSON.stringify(change.after))}`)
  }
}
