import { readFileSync } from 'node:fs'
import { omitPointer, setPointer } from '../../src/core/json-pointer.ts'
import type { JsonValue } from '../../src/core/json-value.ts'
import type { Manifest } from '../../src/core/manifest/manifest.ts'
import { type ParsedManifest, parseManifestValue } from '../../src/core/manifest/parse-manifest.ts'

export const SAMPLE_SKILLS = ['coffee.order', 'pay.transfer', 'web.browse'] as const
/** Besides those that are servers, what a guard enforces. */
export type SampleSkill = (typeof SAMPLE_SKILLS)[number] | 'coding.local'

/** A pointer and what to put there; undefined removes it. */
export type Edit = readonly [pointer: string, value: JsonValue | undefined]

export function sampleText(skill: SampleSkill): string {
  return readFileSync(new URL(`../../manifests/${skill}/manifest.json`, import.meta.url), 'utf8')
}

export function sampleSignature(skill: SampleSkill): string {
  return readFileSync(new URL(`../../manifests/${skill}/manifest.jws`, import.meta.url), 'utf8').trim()
}

const read = new Map<SampleSkill, JsonValue>()

/**
 * Read once: tests try thousands of changes, and none changes the sample itself. Whatever version the sample is at, tests
 * count from the first.
 */
function sampleJson(skill: SampleSkill): JsonValue {
  const known = read.get(skill)
  if (known !== undefined) return known
  const value: JsonValue = { ...JSON.parse(sampleText(skill)), version: 1 }
  read.set(skill, value)
  return value
}

/** A sample as plain JSON, with changes. */
export function editedJson(skill: SampleSkill, edits: readonly Edit[]): JsonValue {
  return edits.reduce((value, [pointer, member]) => {
    const changed = member === undefined ? omitPointer(value, pointer) : setPointer(value, pointer, member)
    if (changed === undefined || changed === value) throw new Error(`${skill} has no place ${pointer}`)
    return changed
  }, sampleJson(skill))
}

/** What parsing makes of a sample with changes. */
export function parseEdited(skill: SampleSkill, ...edits: readonly Edit[]): ParsedManifest {
  return parseManifestValue(editedJson(skill, edits))
}

/** A sample with changes that leave its shape right. @throws Error listing the faults otherwise. */
export function sampleManifest(skill: SampleSkill, ...edits: readonly Edit[]): Manifest {
  const parsed = parseEdited(skill, ...edits)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults, null, 2))
  return parsed.manifest
}

/** The pointer of an action of a sample, so that tests do not count positions. */
export function actionAt(skill: SampleSkill, name: string): string {
  const index = sampleManifest(skill).actions.findIndex((action) => action.name === name)
  if (index < 0) throw new Error(`${skill} has no action ${name}`)
  return `/actions/${index}`
}
