import type { Manifest, ManifestAction } from './manifest.ts'
import type { SchemaField } from './schema-field.ts'

/** An action as the rules look at it: its schemas read, its place known. */
export interface LintedAction {
  readonly action: ManifestAction
  /** JSON Pointer of the action in the manifest. */
  readonly at: string
  /** Undefined when the schema itself is at fault: nothing can be said about its fields. */
  readonly input: readonly SchemaField[] | undefined
  readonly result: readonly SchemaField[] | undefined
}

export interface LintSubject {
  readonly manifest: Manifest
  readonly actions: readonly LintedAction[]
  readonly allowDevelopment: boolean
}

export function has(action: ManifestAction, effect: ManifestAction['effects'][number]): boolean {
  return action.effects.includes(effect)
}

/** The field at a pointer, or undefined when there is none or the schema cannot be read. */
export function fieldAt(
  fields: readonly SchemaField[] | undefined,
  pointer: string,
): SchemaField | undefined {
  return fields?.find((field) => field.pointer === pointer)
}
