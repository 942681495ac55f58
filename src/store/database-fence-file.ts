import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { compareFences, type DatabaseFence, NO_FENCE } from '../core/nodes/database-fence.ts'

const shape = z.strictObject({
  logEpoch: z.int().min(0),
  failovers: z.int().min(0),
  timeline: z.int().min(0),
})

/** Remembers the newest state of the database that this node has seen. */
export type FenceMemory = {
  newest(): DatabaseFence
  /** Remembers it, if it is newer. */
  see(fence: DatabaseFence): void
}

/** For one process only. */
export function fenceInMemory(): FenceMemory {
  let newest = NO_FENCE
  return {
    newest: () => newest,
    see(fence) {
      if (compareFences(fence, newest) > 0) newest = fence
    },
  }
}

/**
 * Keeps it in a file as well, so that a node that starts again does not take an old primary for the newest. A file that
 * cannot be read stops the start: without it nobody knows what is old.
 *
 * @throws Error if it is there and is of another form.
 */
export function openFenceFile(file: string): FenceMemory {
  const memory = fenceInMemory()
  const stored = readStored(file)
  if (stored) memory.see(stored)
  return {
    newest: memory.newest,
    see(fence) {
      if (compareFences(fence, memory.newest()) <= 0) return
      memory.see(fence)
      writeFileSync(`${file}.new`, `${JSON.stringify(fence)}\n`, { mode: 0o600, flush: true })
      renameSync(`${file}.new`, file)
    },
  }
}

function readStored(file: string): DatabaseFence | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  try {
    return shape.parse(JSON.parse(text))
  } catch (cause) {
    throw new Error(`${file} does not say which primary was the newest: restore it from another node`, {
      cause,
    })
  }
}
