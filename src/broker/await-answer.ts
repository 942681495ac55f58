import type { AgentQuestion } from './agent-question.ts'
import { agentQuestion } from './agent-question.ts'
import type { AuthorityChanges } from './authority-changes.ts'
import type { Broker } from './broker.ts'

export type AwaitAnswer = {
  readonly userId: string
  readonly agentId: string
  readonly id: string
  readonly withinMs: number
  /** Whoever asked has given up; the question stays. */
  readonly signal: AbortSignal
}

/** An answer given at another node is seen only by looking, so often, in milliseconds. */
const LOOK_AGAIN_MS = 500

/**
 * Waits until a person has answered, at most so long, and tells how the question stands then. Nothing is held
 * meanwhile but this call.
 */
export async function awaitAnswer(
  broker: Broker,
  changes: AuthorityChanges,
  { userId, agentId, id, withinMs, signal }: AwaitAnswer,
): Promise<AgentQuestion | undefined> {
  const untilMs = performance.now() + withinMs
  for (;;) {
    const wake = nextWord(changes, id, signal)
    try {
      const question = await agentQuestion(broker, { userId, agentId, id })
      const leftMs = untilMs - performance.now()
      if (question?.state !== 'waiting' || leftMs <= 0 || signal.aborted) return question
      await wake.orAfter(Math.min(LOOK_AGAIN_MS, leftMs))
    } finally {
      wake.end()
    }
  }
}

/** Listens before it is looked, so that an answer in between is not slept through. */
function nextWord(changes: AuthorityChanges, id: string, signal: AbortSignal) {
  let wake: () => void = () => undefined
  const woken = new Promise<void>((resolve) => {
    wake = resolve
  })
  const unsubscribe = changes.subscribe((change) => {
    if (change.kind === 'answered' && change.id === id) wake()
  })
  signal.addEventListener('abort', wake, { once: true })
  let timer: NodeJS.Timeout | undefined
  return {
    async orAfter(ms: number): Promise<void> {
      timer = setTimeout(wake, ms)
      await woken
    },
    end(): void {
      clearTimeout(timer)
      unsubscribe()
      signal.removeEventListener('abort', wake)
    },
  }
}
