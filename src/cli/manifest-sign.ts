import { writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { lintManifest } from '../core/manifest/lint-manifest.ts'
import { signManifest } from '../keys/manifest-signature.ts'
import { hasErrors, printFaults } from './print-faults.ts'
import { readManifest, readPrivateKey, signatureFileBeside } from './read-input.ts'
import { CannotRun, type Terminal } from './terminal.ts'

type Options = { key: string; out?: string; allowDevelopment: boolean }

export function addManifestSign(manifest: Command, terminal: Terminal): void {
  manifest
    .command('sign')
    .description('sign a manifest without faults: a detached JWS over its canonical form')
    .argument('<file>', 'manifest.json')
    .requiredOption('--key <file>', 'the private key of "countersign keys generate"')
    .option('--out <file>', 'where the signature goes (default: manifest.jws beside the manifest)')
    .option('--allow-development', 'allow an http endpoint on loopback', false)
    .action(async (file: string, options: Options) => {
      const key = readPrivateKey(options.key)
      const parsed = readManifest(file, terminal)
      if (!parsed) return
      const faults = lintManifest(parsed.manifest, { allowDevelopment: options.allowDevelopment })
      printFaults(file, faults, terminal)
      if (hasErrors(faults)) return terminal.exitWith(1)

      const out = options.out ?? signatureFileBeside(file)
      const jws = await signManifest(parsed.manifest, key)
      try {
        writeFileSync(out, `${jws}\n`)
      } catch (cause) {
        throw new CannotRun(`cannot write ${out}`, { cause })
      }
      terminal.out(`signed ${parsed.manifest.skill} version ${parsed.manifest.version} with key ${key.kid}`)
      terminal.out(`digest ${parsed.digest}`)
      terminal.out(`signature written to ${out}`)
    })
}
