import { readFileSync } from 'node:fs'
import type { JsonValue } from '../core/json-value.ts'
import { type ParsedManifest, parseManifest } from '../core/manifest/parse-manifest.ts'
import { parseStrictJson } from '../core/strict-json.ts'
import type { PrivateJwk } from '../keys/detached-jws.ts'
import { parsePrivateJwk } from '../keys/publisher-key-file.ts'
import { printFaults } from './print-faults.ts'
import { CannotRun, type Terminal } from './terminal.ts'

/** Reads a text file. @throws CannotRun naming the file. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new CannotRun(`cannot read ${path}: ${reasonOf(cause)}`, { cause })
  }
}

/** Reads a file of strict JSON. @throws CannotRun naming the file and the position. */
export function readJson(path: string): JsonValue {
  const parsed = parseStrictJson(readText(path))
  if (!parsed.ok) throw new CannotRun(`${path} is not strict JSON: ${parsed.detail}`)
  return parsed.value
}

/** Reads a private key that `countersign keys generate` wrote. @throws CannotRun if it is anything else. */
export function readPrivateKey(path: string): PrivateJwk {
  const key = parsePrivateJwk(readJson(path))
  if (!key) throw new CannotRun(`${path} is not a private key of "countersign keys generate"`)
  return key
}

/** Reads a manifest, or prints its faults and returns undefined. */
export function readManifest(
  path: string,
  terminal: Terminal,
): Extract<ParsedManifest, { ok: true }> | undefined {
  const parsed = parseManifest(readText(path))
  if (parsed.ok) return parsed
  printFaults(path, parsed.faults, terminal)
  terminal.exitWith(1)
  return undefined
}

/** The signature's file when none is named: manifest.jws beside manifest.json. */
export function signatureFileBeside(manifestFile: string): string {
  return manifestFile.endsWith('.json') ? manifestFile.replace(/\.json$/, '.jws') : `${manifestFile}.jws`
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
}
