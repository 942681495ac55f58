import type { JsonValue } from '../json-value.ts'
import { isJsonArray, isJsonObject } from '../json-value.ts'
import { readSchemaProfile } from '../schema/schema-profile.ts'
import { lintCompanions } from './lint-companions.ts'
import { lintDeletion } from './lint-deletion.ts'
import { lintEndpoint } from './lint-endpoint.ts'
import { lintEvents } from './lint-events.ts'
import { lintFields } from './lint-fields.ts'
import { lintGuarded } from './lint-guarded.ts'
import { lintLinks } from './lint-links.ts'
import { lintMoney } from './lint-money.ts'
import { lintSkill } from './lint-skill.ts'
import type { LintedAction, LintSubject } from './lint-subject.ts'
import { lintWords } from './lint-words.ts'
import type { Manifest, ManifestAction } from './manifest.ts'
import { plainJson } from './manifest-change.ts'
import { errorAt, type ManifestFault } from './manifest-fault.ts'
import { fieldsOf, type SchemaField } from './schema-field.ts'

export interface LintOptions {
  /** Allows an http endpoint on loopback, for a skill that is being built. */
  readonly allowDevelopment?: boolean
}

/**
 * Lists what is wrong with a manifest of the right shape: an error refuses the version, a warning is for the
 * publisher and the operator who reviews it. Errors come first, each place once per code.
 */
export function lintManifest(manifest: Manifest, options: LintOptions = {}): ManifestFault[] {
  const schemaFaults: ManifestFault[] = []
  const actions = manifest.actions.map((action, index) =>
    readAction(action, `/actions/${index}`, schemaFaults),
  )
  const subject: LintSubject = { manifest, actions, allowDevelopment: options.allowDevelopment ?? false }
  const faults = [
    ...schemaFaults,
    ...lintEndpoint(subject),
    ...lintGuarded(subject),
    ...lintSkill(subject),
    ...lintFields(subject),
    ...lintLinks(subject),
    ...lintMoney(subject),
    ...lintCompanions(subject),
    ...lintDeletion(subject),
    ...lintEvents(subject),
    ...lintWords(subject),
  ]
  const errors = onePerPlace(faults.filter((fault) => fault.severity === 'error'))
  const warnings = onePerPlace(faults.filter((fault) => fault.severity === 'warning'))
  return [...errors, ...warnings.filter((warning) => !errors.some((error) => isSamePlace(error, warning)))]
}

function readAction(action: ManifestAction, at: string, faults: ManifestFault[]): LintedAction {
  return {
    action,
    at,
    input: readFields(plainJson(action.input), `${at}/input`, faults),
    result: readFields(plainJson(action.result), `${at}/result`, faults),
  }
}

function readFields(schema: JsonValue, at: string, faults: ManifestFault[]): SchemaField[] | undefined {
  if (usesReferences(schema)) {
    const mend = 'write the schema out where it is used'
    faults.push(
      errorAt(at, 'reference_in_manifest', 'a field behind $ref is easily overlooked in review', mend),
    )
    return undefined
  }
  const reading = readSchemaProfile(schema)
  if (reading.ok) return fieldsOf(reading.root, at)
  for (const { pointer, code, message, mend } of reading.faults)
    faults.push(errorAt(`${at}${pointer}`, code, message, mend))
  return undefined
}

/** True for the keyword `$ref`; a property of that name is refused with it, which costs nobody anything. */
function usesReferences(schema: JsonValue): boolean {
  if (isJsonArray(schema)) return schema.some(usesReferences)
  if (!isJsonObject(schema)) return false
  return Object.hasOwn(schema, '$ref') || Object.values(schema).some(usesReferences)
}

/** Rules look at the same field from several sides; a person mends it once. */
function onePerPlace(faults: readonly ManifestFault[]): ManifestFault[] {
  return faults.filter((fault, index) => faults.findIndex((other) => isSamePlace(fault, other)) === index)
}

function isSamePlace(a: ManifestFault, b: ManifestFault): boolean {
  return a.pointer === b.pointer && a.code === b.code
}
