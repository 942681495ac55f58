import type { JsonValue } from '../json-value.ts'
import { type CompiledSchema, compileSchema, type FieldInfo } from '../schema/compiled-schema.ts'
import { endpointOf, type Manifest, type ManifestAction } from './manifest.ts'

/** One action, ready to decide with. */
export type LoadedAction = {
  declared: ManifestAction
  endpoint: string
  /** Checks what an agent sends; broker-filled fields are refused. */
  input: CompiledSchema
  /** Checks what is sent to the skill, broker-filled fields included. */
  sent: CompiledSchema
  result: CompiledSchema
  recipientFields: readonly FieldInfo[]
  brokerFields: readonly FieldInfo[]
  freeTextPointers: ReadonlySet<string>
  /** The result holds text or links that a stranger may have written. */
  readsUntrusted: boolean
  /** An argument is free text or a URL, which may carry any category. */
  carriesFreely: boolean
}

/** An approved manifest with its schemas compiled. Never changes: a digest names one content. */
export type LoadedManifest = {
  digest: string
  manifest: Manifest
  actions: ReadonlyMap<string, LoadedAction>
}

const CARRIES_ANYTHING = new Set(['freeText', 'url', 'command'])

/** @throws RangeError if a schema is outside the profile, which registration has ruled out. */
export function loadManifest(digest: string, manifest: Manifest): LoadedManifest {
  return {
    digest,
    manifest,
    actions: new Map(manifest.actions.map((a) => [a.name, loadAction(manifest, a)])),
  }
}

function loadAction(manifest: Manifest, declared: ManifestAction): LoadedAction {
  const inputSchema = declared.input as JsonValue
  const input = compileSchema(inputSchema, 'agent_arguments')
  const result = compileSchema(declared.result as JsonValue, 'result')
  const ofKind = (compiled: CompiledSchema, kinds: ReadonlySet<string>) =>
    compiled.fields.filter((field) => field.kind !== undefined && kinds.has(field.kind))
  return {
    declared,
    endpoint: endpointOf(manifest, declared),
    input,
    sent: compileSchema(inputSchema, 'skill_arguments'),
    result,
    recipientFields: ofKind(input, new Set(['recipient'])),
    brokerFields: input.fields.filter((field) => field.isBrokerFilled),
    freeTextPointers: new Set(ofKind(input, new Set(['freeText'])).map((field) => field.pointer)),
    readsUntrusted: ofKind(result, CARRIES_ANYTHING).length > 0,
    carriesFreely: ofKind(input, CARRIES_ANYTHING).length > 0,
  }
}
