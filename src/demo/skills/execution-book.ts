import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
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
  const file = journalFile === undefined ? undefined : openJournal(journalFile)

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
    all: () => entries,
    close() {
      if (file) closeSync(file.descriptor)
    },
  }
}

function openJournal(path: string): { descriptor: number; lines: string[] } {
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
  const wholeBytes = bytes.lastIndexOf('\n') + 1
  const descriptor = openSync(path, 'a', 0o600)
  if (wholeBytes < bytes.length) ftruncateSync(descriptor, wholeBytes)
  const lines = bytes.subarray(0, wholeBytes).toString('utf8').split('\n').slice(0, -1)
  return { descriptor, lines }
}
