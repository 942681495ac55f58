import type { z } from 'zod'
import type { AccessQuestion } from '../broker/access-question.ts'
import { isJsonObject, type JsonValue } from '../core/json-value.ts'
import { evaluationShape, type evaluationsShape, type Semantic } from './question-shapes.ts'

type Batch = z.output<typeof evaluationsShape>
type Entity = Readonly<Record<string, unknown>>

/** Members without which an entity is none; a batch's default fills in those an item leaves out. */
const REQUIRED = { subject: ['type', 'id'], action: ['name'], resource: ['type', 'id'] } as const

/**
 * One item of a batch with the batch's defaults: an entity of the item takes the place of the whole default, properties
 * included, and only its required members are taken from there where it lacks them (AuthZEN 1.0 section 7.1.1). Undefined for an item that is no
 * question, which is answered with `false`.
 */
export function questionOf(batch: Batch, item: JsonValue): AccessQuestion | undefined {
  if (!isJsonObject(item)) return undefined
  const merged = {
    subject: entityOf(item.subject, batch.subject, REQUIRED.subject),
    action: entityOf(item.action, batch.action, REQUIRED.action),
    resource: entityOf(item.resource, batch.resource, REQUIRED.resource),
    context: item.context === undefined ? batch.context : item.context,
  }
  const parsed = evaluationShape.safeParse(merged)
  return parsed.success ? parsed.data : undefined
}

function entityOf(
  own: JsonValue | undefined,
  base: Entity | undefined,
  required: readonly string[],
): unknown {
  if (own === undefined) return base
  if (!isJsonObject(own) || base === undefined) return own
  const missing = required.filter((name) => own[name] === undefined && base[name] !== undefined)
  return { ...own, ...Object.fromEntries(missing.map((name) => [name, base[name]])) }
}

/** Items decided at the same time where every one is wanted; they share commits. */
const AT_ONCE = 16

/** Decides a batch in order, up to and including the first answer that ends it. */
export async function decideBatch<Item>(
  items: readonly Item[],
  semantic: Semantic,
  decide: (item: Item) => Promise<boolean>,
): Promise<boolean[]> {
  const decisions: boolean[] = []
  if (semantic === 'execute_all') {
    for (let at = 0; at < items.length; at += AT_ONCE) {
      decisions.push(...(await Promise.all(items.slice(at, at + AT_ONCE).map(decide))))
    }
    return decisions
  }
  const last = semantic === 'permit_on_first_permit'
  for (const item of items) {
    const decision = await decide(item)
    decisions.push(decision)
    if (decision === last) break
  }
  return decisions
}
