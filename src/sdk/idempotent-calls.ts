import type { VerifiedCall } from '../core/execution/verify-action-token.ts'

export type IdempotentAnswer<Answer> =
  | { readonly kind: 'answered'; readonly answer: Answer; readonly isRepeat: boolean }
  /** The same broker key came with other bytes, which the broker never does: refuse it. */
  | { readonly kind: 'key_reused' }

/** Runs the work of one broker key at most once and answers repeats with the first answer. */
export type Idempotent<Answer> = (
  call: Pick<VerifiedCall, 'kind' | 'brokerKey' | 'bodyDigest'>,
  run: () => Promise<Answer>,
) => Promise<IdempotentAnswer<Answer>>

/**
 * Keeps answers in memory for a skill that is one process and can afford to forget them when it restarts; a skill
 * that moves money keeps them beside its orders. Work that fails is forgotten, so that it can be tried again. The
 * oldest answers go first when there are more than `maxEntries`; while all of them are still running it throws.
 */
export function createIdempotentCalls<Answer>(
  options: { maxEntries?: number; keepMs?: number; now?: () => number } = {},
): Idempotent<Answer> {
  const maxEntries = options.maxEntries ?? 10_000
  const keepMs = options.keepMs ?? 7 * 24 * 3_600_000
  const now = options.now ?? Date.now
  const entries = new Map<string, Entry<Answer>>()

  function makeRoom(): void {
    for (const [key, entry] of entries) {
      const isOld = entry.settledAtMs !== undefined && now() - entry.settledAtMs >= keepMs
      if (isOld) entries.delete(key)
    }
    if (entries.size < maxEntries) return
    const oldest = [...entries].find(([, entry]) => entry.settledAtMs !== undefined)
    if (!oldest) throw new Error('too many calls are running')
    entries.delete(oldest[0])
  }

  return async (call, run) => {
    // A status call carries the key of the action it asks about, so the kind is part of the key.
    const key = `${call.kind} ${call.brokerKey}`
    const earlier = entries.get(key)
    const isKept = earlier && (earlier.settledAtMs === undefined || now() - earlier.settledAtMs < keepMs)
    if (isKept) {
      if (earlier.bodyDigest !== call.bodyDigest) return { kind: 'key_reused' }
      return { kind: 'answered', answer: await earlier.answer, isRepeat: true }
    }
    entries.delete(key)
    if (entries.size >= maxEntries) makeRoom()

    const entry: Entry<Answer> = { bodyDigest: call.bodyDigest, answer: run(), settledAtMs: undefined }
    entries.set(key, entry)
    try {
      const answer = await entry.answer
      entry.settledAtMs = now()
      return { kind: 'answered', answer, isRepeat: false }
    } catch (error) {
      entries.delete(key)
      throw error
    }
  }
}

interface Entry<Answer> {
  readonly bodyDigest: string
  readonly answer: Promise<Answer>
  settledAtMs: number | undefined
}
