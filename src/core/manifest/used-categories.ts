import type { JsonValue } from '../json-value.ts'
import { isJsonArray, isJsonObject } from '../json-value.ts'
import type { Manifest, ManifestAction } from './manifest.ts'
import { plainJson } from './manifest-change.ts'

/** True when a category is carried by a field of the action, or by a recipient or memory class it names. */
export function usesCategory(manifest: Manifest, action: ManifestAction, category: string): boolean {
  return (
    isCarried(plainJson(action.input), category) ||
    isCarried(plainJson(action.result), category) ||
    manifest.recipients.some(
      (recipient) => action.recipients.includes(recipient.id) && recipient.categories.includes(category),
    ) ||
    manifest.memory.some(
      (memory) => action.remembers.includes(memory.class) && memory.categories.includes(category),
    )
  )
}

function isCarried(schema: JsonValue, category: string): boolean {
  if (isJsonArray(schema)) return schema.some((child) => isCarried(child, category))
  if (!isJsonObject(schema)) return false
  return (
    schema['x-category'] === category || Object.values(schema).some((child) => isCarried(child, category))
  )
}
