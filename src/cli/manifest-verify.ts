import type { Command } from 'commander'
import { isJsonArray, isJsonObject } from '../core/json-value.ts'
import { type PublicJwk, parsePublicJwk } from '../core/manifest/public-key.ts'
import { verifyManifestSignature } from '../keys/manifest-signature.ts'
import { readJson, readManifest, readText, signatureFileBeside } from './read-input.ts'
import { CannotRun, type Terminal } from './terminal.ts'

type Options = { keys: string; jws?: string; json: boolean }

export function addManifestVerify(manifest: Command, terminal: Terminal): void {
  manifest
    .command('verify')
    .description("verify a manifest's signature with its publisher's public keys")
    .argument('<file>', 'manifest.json')
    .requiredOption('--keys <file>', 'the public key set that "countersign keys generate" printed')
    .option('--jws <file>', 'the signature (default: manifest.jws beside the manifest)')
    .option('--json', 'print the verdict as JSON', false)
    .action(async (file: string, options: Options) => {
      const keySet = readKeySet(options.keys)
      const jws = readText(options.jws ?? signatureFileBeside(file)).trim()
      const parsed = readManifest(file, terminal)
      if (!parsed) return
      const { manifest: read, digest } = parsed
      const verdict =
        keySet.publisher !== read.publisher
          ? ({
              ok: false,
              code: 'other_publisher',
              message: `the keys belong to ${keySet.publisher}, the manifest to ${read.publisher}`,
            } as const)
          : await verifyManifestSignature(Buffer.from(parsed.canonical), jws, (kid) =>
              keySet.keys.find((key) => key.kid === kid),
            )
      if (options.json) terminal.out(JSON.stringify({ ...verdict, digest }, null, 2))
      else if (verdict.ok) {
        terminal.out(
          terminal.paint('green', `${read.skill} version ${read.version} is signed by ${read.publisher}`),
        )
        terminal.out(`key ${verdict.kid}`)
        terminal.out(`digest ${digest}`)
      } else terminal.out(`${terminal.paint('red', verdict.code)} ${verdict.message}`)
      terminal.exitWith(verdict.ok ? 0 : 1)
    })
}

function readKeySet(path: string): { publisher: string; keys: PublicJwk[] } {
  const value = readJson(path)
  if (!isJsonObject(value) || typeof value.publisher !== 'string' || !isJsonArray(value.keys))
    throw new CannotRun(`${path} must hold a publisher and its keys`)
  const keys = value.keys.map((key) => {
    const parsed = parsePublicJwk(key)
    if (!parsed.ok) throw new CannotRun(`${path} holds a key that is refused: ${parsed.fault.message}`)
    return parsed.jwk
  })
  return { publisher: value.publisher, keys }
}
