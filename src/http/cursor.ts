import { z } from 'zod'
import { InvalidRequest } from './problem.ts'

/** Query of every list: how many, and from where on. */
export const pageQuery = {
  limit: z
    .string()
    .regex(/^([1-9]\d?|100)$/)
    .optional()
    .meta({ description: 'How many: 1 to 100, 20 unless given.' }),
  cursor: z.string().max(200).optional().meta({ description: 'The nextCursor of the page before.' }),
}

/** One page of a list as it is answered. */
export function pageShape<Item extends z.ZodType>(item: Item) {
  return z.strictObject({ items: z.array(item), nextCursor: z.string().nullable() })
}

export type PageQuery = { readonly limit?: string | undefined; readonly cursor?: string | undefined }

/** The newest-first page a use case reads; `before` names the last row of the page before. */
export type ListPage = { limit: number; before: { atMs: number; id: string } | null }

const LIMIT_DEFAULT = 20
const CURSOR = /^1\.(0|[1-9]\d{0,15})\.([A-Za-z0-9_:./@*-]{1,128})$/

/** @throws InvalidRequest `invalid_cursor` for a cursor we never made. */
export function pageOf({ limit, cursor }: PageQuery): ListPage {
  return {
    limit: limit === undefined ? LIMIT_DEFAULT : Number(limit),
    before: cursor === undefined ? null : parseCursor(cursor),
  }
}

/**
 * A page of at most `limit` items, from one more than that. The cursor names a place in the caller's own list, so it
 * gives away nothing and cannot reach into anybody else's.
 */
export function pageAnswer<Row, Item>(
  rows: readonly Row[],
  limit: number,
  placeOf: (row: Row) => { atMs: number; id: string },
  present: (row: Row) => Item,
): { items: Item[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    items: shown.map(present),
    nextCursor: rows.length > limit && last ? formatCursor(placeOf(last)) : null,
  }
}

function formatCursor({ atMs, id }: { atMs: number; id: string }): string {
  return Buffer.from(`1.${atMs}.${id}`).toString('base64url')
}

function parseCursor(text: string): { atMs: number; id: string } {
  const bytes = Buffer.from(text, 'base64url')
  const match = CURSOR.exec(bytes.toString('latin1'))
  const atMs = Number(match?.[1])
  const id = match?.[2]
  const isCanonical = bytes.toString('base64url') === text
  if (!isCanonical || id === undefined || !Number.isSafeInteger(atMs))
    throw new InvalidRequest('invalid_cursor')
  return { atMs, id }
}
