import { approvalAsked, consentAsked } from './agent-answers.ts'
import { type Answered, failed, succeeded } from './agent-fault.ts'
import type { Question, QuestionEnd } from './agent-request.ts'
import type { Transport, TransportDeps } from './broker-transport.ts'

/** As long as a broker holds a call at most. */
const HOLD_SECONDS = 30
const WITHIN_MS = 10 * 60_000
/** A broker that holds nothing at the moment is not asked in a circle. */
const LOOK_AGAIN_MS = 2_000

/**
 * Waits for a person's answer by calls that the broker holds. `waiting` when the time is over first.
 *
 * @param withinMs ten minutes unless told otherwise.
 */
export async function awaitAnswer(
  transport: Transport,
  deps: Pick<TransportDeps, 'now' | 'pause'>,
  { kind, id }: Pick<Question, 'kind' | 'id'>,
  about: { signal?: AbortSignal | undefined; patienceMs?: number; withinMs?: number } = {},
): Promise<Answered<QuestionEnd>> {
  const { withinMs = WITHIN_MS, ...options } = about
  const untilMs = deps.now() + withinMs
  const path = `/v1/${kind === 'approval' ? 'approvals' : 'consent-requests'}/${encodeURIComponent(id)}`
  for (;;) {
    const startedMs = deps.now()
    const seconds = Math.max(0, Math.min(HOLD_SECONDS, Math.floor((untilMs - startedMs) / 1000)))
    const held = {
      method: 'GET',
      path: `${path}?wait=${seconds}`,
      heldMs: seconds * 1000,
      ...options,
    } as const
    const answer =
      kind === 'approval'
        ? await transport({ ...held, shape: approvalAsked })
        : await transport({ ...held, shape: consentAsked })
    if (!answer.ok) return answer
    const { state } = answer.value.value
    if (state !== 'waiting' && state !== 'pending') return succeeded(state)
    if (options.signal?.aborted) return failed('aborted')
    const nowMs = deps.now()
    if (nowMs >= untilMs || seconds === 0) return succeeded('waiting')
    if (nowMs - startedMs < LOOK_AGAIN_MS) await deps.pause(LOOK_AGAIN_MS, options.signal)
  }
}
