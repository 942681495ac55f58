import { InvalidRequest } from '../http/problem.ts'

/** Fields of a posted form (application/x-www-form-urlencoded, WHATWG URL section 5). */
export type Form = {
  /** The one value of a field, or undefined where it was not sent or sent twice: nobody may pick one of two. */
  get(name: string): string | undefined
  /** Every value of a field, in the order they were sent; of check boxes. */
  all(name: string): readonly string[]
  readonly names: readonly string[]
}

const BYTES_MOST = 262_144
const FIELDS_MOST = 2_000
const FORM_TYPE = /^application\/x-www-form-urlencoded(?:\s*;\s*charset="?utf-8"?)?$/i

export const EMPTY_FORM: Form = formOf(new URLSearchParams())

/**
 * Reads a posted form.
 *
 * @throws InvalidRequest for another media type, too many bytes or fields, and a body cut short.
 */
export async function readForm(request: Request): Promise<Form> {
  const type = request.headers.get('content-type')
  if (type === null || !FORM_TYPE.test(type)) throw new InvalidRequest('unsupported_media_type')
  const text = await readText(request)
  const fields = new URLSearchParams(text)
  if (fields.size > FIELDS_MOST) throw new InvalidRequest('body_too_large')
  return formOf(fields)
}

export function formOf(fields: URLSearchParams): Form {
  const values = new Map<string, string[]>()
  for (const [name, value] of fields) {
    const known = values.get(name)
    if (known) known.push(value)
    else values.set(name, [value])
  }
  return {
    get: (name) => {
      const all = values.get(name)
      return all?.length === 1 ? all[0] : undefined
    },
    all: (name) => values.get(name) ?? [],
    names: [...values.keys()],
  }
}

async function readText(request: Request): Promise<string> {
  const declared = request.headers.get('content-length')
  if (declared !== null && !(Number(declared) <= BYTES_MOST)) throw new InvalidRequest('body_too_large')
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of request.body ?? []) {
      size += chunk.byteLength
      if (size > BYTES_MOST) throw new InvalidRequest('body_too_large')
      chunks.push(chunk)
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks, size))
  } catch (error) {
    if (error instanceof InvalidRequest) throw error
    throw new InvalidRequest('body_incomplete')
  }
}
