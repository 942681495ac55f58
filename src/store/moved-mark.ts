import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const FILE = 'moved.json'
const shape = z.strictObject({ to: z.string(), atMs: z.int() })

/** Where the mark of a data folder stands whose database was moved to another engine. */
export function movedMarkIn(folder: string): string {
  return join(folder, FILE)
}

/** What a mark says: where to, without any password. */
export function movedMarkText(to: string, atMs: number): string {
  return `${JSON.stringify({ to, atMs } satisfies z.infer<typeof shape>)}\n`
}

/** Where the database of this folder went; undefined if it is here. A mark that cannot be read counts as one. */
export function movedTo(folder: string): string | undefined {
  const file = movedMarkIn(folder)
  if (!existsSync(file)) return undefined
  try {
    return shape.parse(JSON.parse(readFileSync(file, 'utf8'))).to
  } catch {
    return `a place that ${file} does not tell any more`
  }
}
