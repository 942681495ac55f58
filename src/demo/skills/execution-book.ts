import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { z } from 'zod'
import { CALL_KINDS } from '../../core/execution/action-token.ts'

const execution = z.strictObject({
  kind: z.enum(CALL_KINDS),
  brokerKey: z.string(),
  executionId: z.string(),
  userId: z.string(),
  action: z.string(),
  /** Of the bytes the skill was sent; a receipt repeats it. */
  bodyDigest: z.string(),
  /** `closed`: the skill has said that it never had this execution, so it must never happen. */
  status: z.enum(['succeeded', 'refused', 'closed']),
  taken: z.strictObject({ amountMinor: z.int(), currency: z.string() }).nullable(),
  httpStatus: z.int(),
  /** The answer as text, so that a repeated call gets the same one. */
  answer: z.string(),
  events: z.array(z.unknown()),
  /** Until when each memory class it wrote may be kept, as its token said. Unix milliseconds. */
  keptUntilMs: z.record(z.string(), z.int()).optional(),
})

/** One call a skill carried out or refused, with everything needed to answer for it later. */
export type Execution = z.infer<typeof execution>

export interface ExecutionBook {
  /** What the same key was answered before; a clean-up call carries the key of the action it follows. */
  findByKey(kind: Execution['kind'], brokerKey: string): Execution | undefined
  /** The action with this execution id, if it was this user's. */
  findByExecution(userId: string, executionId: string): Execution | undefined
  /** Writes an execution down. When it returns, the line is on disk and the answer may go out. */
  record(entry: Execution): void
  /**
   * Takes out of those executions what they would tell of a person; that they were carried out stays, so that none is
   * carried out again. When it returns, the journal holds no more of it.
   */
  forget(isMeant: (entry: Execution) => boolean): number
  /** Everything in order, for rebuilding the state. */
  all(): readonly Execution[]
  close(): void
}

/**
 * Opens a skill's book, in memory or with a journal file of one JSON line for each execution. A line that a kill
 * cut short was never answered for, so it is cut off. Throws if a whole line is not an execution.
 */
export function openExecutionBook(journalFile?: string): ExecutionBook {
  const entries: Execution[] = []
  const byKey = new Map<string, Execution>()
  const byExecution = new Map<string, Execution>()
  let file = journalFile === undefined ? undefined : openJournal(journalFile)

  function remember(entry: Execution): void {
    entries.push(entry)
    byKey.set(`${entry.kind} ${entry.brokerKey}`, entry)
    if (entry.kind === 'action') byExecution.set(`${entry.userId} ${entry.executionId}`, entry)
  }
  for (const line of file?.lines ?? []) remember(execution.parse(JSON.parse(line)))

  return {
    findByKey: (kind, brokerKey) => byKey.get(`${kind} ${brokerKey}`),
    findByExecution: (userId, executionId) => byExecution.get(`${userId} ${executionId}`),
    record(entry) {
      if (file) {
        writeSync(file.descriptor, `${JSON.stringify(entry)}\n`)
        fsyncSync(file.descriptor)
      }
      remember(entry)
    },
    forget(isMeant) {
      const meant = new Set(entries.filter((entry) => entry.events.length > 0 && isMeant(entry)))
      if (meant.size === 0) return 0
      const left = entries.map((entry) => (meant.has(entry) ? forgotten(entry) : entry))
      if (file && journalFile !== undefined) {
        closeSync(file.descriptor)
        replaceJournal(journalFile, left)
        file = openJournal(journalFile)
      }
      entries.length = 0
      for (const entry of left) remember(entry)
      return meant.size
    },
    all: () => entries,
    close() {
      if (file) closeSync(file.descriptor)
    },
  }
}

function forgotten({ keptUntilMs: _, ...entry }: Execution): Execution {
  return { ...entry, answer: '{"code":"forgotten"}', httpStatus: 410, events: [] }
}

/** Beside, synced, then renamed: a kill leaves the old journal or the new one. */
function replaceJournal(path: string, entries: readonly Execution[]): void {
  const beside = `${path}.new`
  const descriptor = openSync(beside, 'w', 0o600)
  writeSync(descriptor, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
  fsyncSync(descriptor)
  closeSync(descriptor)
  renameSync(beside, path)
}

function openJournal(path: string): { descriptor: number; lines: string[] } {
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
  const wholeBytes = bytes.lastIndexOf('\n') + 1
  const descriptor = openSync(path, 'a', 0o600)
  if (wholeBytes < bytes.length) ftruncateSync(descriptor, wholeBytes)
  const lines = bytes.subarray(0, wholeBytes).toString('utf8').split('\n').slice(0, -1)
  return { descriptor, lines }
}
