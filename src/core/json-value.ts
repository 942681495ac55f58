/** Any JSON document in memory. Read-only, so that what was hashed cannot be changed behind its hash. */
export type JsonValue = null | boolean | number | string | JsonArray | JsonObject

export type JsonArray = readonly JsonValue[]

export type JsonObject = { readonly [name: string]: JsonValue }

/** Tells a JSON object from everything else; `Array.isArray` alone does not narrow read-only arrays. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Tells a JSON array from everything else. */
export function isJsonArray(value: JsonValue | undefined): value is JsonArray {
  return Array.isArray(value)
}

/**
 * Returns a member only if the object itself has it, so that names such as `toString`, `constructor` and
 * `__proto__` are plain names.
 */
export function ownMember(object: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

/** Returns a copy with one member set; `__proto__` becomes an own member like any other. */
export function withMember(object: JsonObject, name: string, value: JsonValue): JsonObject {
  return { ...object, [name]: value }
}
