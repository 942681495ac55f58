import { z } from 'zod'

export type Schema = Readonly<Record<string, unknown>>

/** JSON text of this length or more, seen before, is written once and referred to. */
const WORTH_A_NAME = 400

/**
 * Writes shapes as JSON Schema 2020-12, which OpenAPI 3.1 takes as it is; what only code can say is left open.
 * A large part that several operations share stands in the document once, named after the field it was first seen at.
 */
export class SchemaBook {
  readonly named: Record<string, Schema> = {}
  readonly #names = new Map<string, string>()

  write(shape: z.ZodType, io: 'input' | 'output'): Schema {
    const { $schema: _, ...schema } = z.toJSONSchema(shape, {
      target: 'draft-2020-12',
      io,
      unrepresentable: 'any',
    })
    const members = Object.entries(schema).map(([name, member]) => [name, this.#share(member, name)])
    return Object.fromEntries(members)
  }

  /** Replaces every large object schema below by a reference. */
  #share(value: unknown, at: string): unknown {
    if (Array.isArray(value)) return value.map((element: unknown) => this.#share(element, at))
    if (typeof value !== 'object' || value === null) return value
    const text = JSON.stringify(value)
    const known = this.#names.get(text)
    if (known !== undefined) return { $ref: `#/components/schemas/${known}` }
    const members = Object.entries(value).map(([name, member]) => [
      name,
      this.#share(member, labelOf(name, at)),
    ])
    const shared: Schema = Object.fromEntries(members)
    const isSchema = typeof shared.type === 'string'
    if (!isSchema || text.length < WORTH_A_NAME) return shared
    const name = this.#freeName(at)
    this.#names.set(text, name)
    this.named[name] = shared
    return { $ref: `#/components/schemas/${name}` }
  }

  #freeName(at: string): string {
    const base = at.charAt(0).toUpperCase() + at.slice(1)
    let name = base
    for (let count = 2; Object.hasOwn(this.named, name) || name === 'Problem'; count += 1)
      name = `${base}${count}`
    return name
  }
}

/** The keywords of JSON Schema itself name nothing; what stands below them is named after the field above. */
function labelOf(name: string, at: string): string {
  return /^(properties|items|anyOf|oneOf|allOf|additionalProperties|prefixItems|propertyNames)$/.test(name)
    ? at
    : name
}
