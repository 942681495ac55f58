import { hash } from 'node:crypto'
import { z } from 'zod'
import type { FindPage, Found } from '../broker/search-access.ts'
import { canonicalJson } from '../core/canonical-json.ts'
import type { JsonValue } from '../core/json-value.ts'
import { parseStrictJson } from '../core/strict-json.ts'
import { InvalidRequest } from '../http/problem.ts'

const LIMIT_DEFAULT = 50
const LIMIT_MOST = 100

/** AuthZEN 1.0 section 8.1.1; `next_token` is what earlier drafts called the token of a request. */
export const pageShape = z.object({
  token: z.string().max(600).optional(),
  next_token: z.string().max(600).optional(),
  limit: z.int().min(1).optional(),
})
type PageAsked = z.output<typeof pageShape>

export const pageAnswerShape = z.strictObject({ next_token: z.string(), count: z.int() })

const placeShape = z.tuple([z.literal(1), z.string().length(22), z.string().max(300)])

/**
 * Where a search goes on. A token names a place in the answer to one question, so it is refused with any other.
 *
 * @throws InvalidRequest `invalid_cursor` for a token that is none of ours, or of another question.
 */
export function findPageOf(page: PageAsked | undefined, question: JsonValue): FindPage {
  const limit = Math.min(page?.limit ?? LIMIT_DEFAULT, LIMIT_MOST)
  const token = page?.token ?? page?.next_token ?? ''
  if (token === '') return { after: '', limit }
  const read = parseStrictJson(Buffer.from(token, 'base64url').toString('utf8'))
  const place = read.ok ? placeShape.safeParse(read.value) : undefined
  if (!place?.success || place.data[1] !== tagOf(question)) throw new InvalidRequest('invalid_cursor')
  return { after: place.data[2], limit }
}

/** The page as it is answered: said only where pages were spoken of, or there is another one. */
export function presentPage(
  { ids, after }: Found,
  page: PageAsked | undefined,
  question: JsonValue,
): { page?: z.input<typeof pageAnswerShape> } {
  if (page === undefined && after === null) return {}
  const token = after === null ? '' : JSON.stringify([1, tagOf(question), after])
  return { page: { next_token: Buffer.from(token).toString('base64url'), count: ids.length } }
}

function tagOf(question: JsonValue): string {
  return hash('sha256', canonicalJson(question), 'base64url').slice(0, 22)
}
