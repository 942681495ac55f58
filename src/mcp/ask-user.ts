import { type InputRequiredResult, inputRequired } from '@modelcontextprotocol/server'
import { awaitAnswer } from '../broker/await-answer.ts'
import { openRequestState } from '../broker/request-state.ts'
import type { ClientSide, ToolCall } from './call-context.ts'
import type { McpDeps } from './mcp-deps.ts'
import type { Asked } from './tool-answer.ts'

/** What came of asking: the client asks and repeats the call, the user said something, or nothing was heard in time. */
export type AskedUser =
  | { readonly kind: 'repeat'; readonly result: InputRequiredResult }
  | { readonly kind: 'answered' }
  | { readonly kind: 'unanswered' }

const TICK_MS = 10_000
/** The key of our one question in what the client is asked. */
export const ANSWER_KEY = 'user'

/**
 * Asks the user in the way the client can: by a page it opens, else by holding the call while it listens, else not at
 * all, and then the link in the answer has to do. A client that has opened a page is held as well.
 *
 * @param callDigest what the client may repeat with what it is handed.
 */
export async function askUser(
  deps: McpDeps,
  call: ToolCall,
  asked: Asked,
  callDigest: string,
): Promise<AskedUser> {
  const { client } = call
  if (client.opensPages && client.repeated === null) {
    if (client.openPage === null)
      return { kind: 'repeat', result: await inputFrom(deps, call, asked, callDigest) }
    const action = await client.openPage({ id: asked.id, message: messageOf(asked), url: asked.url })
    return action === 'accept' ? hold(deps, call, asked) : { kind: 'unanswered' }
  }
  const mayHold =
    client.repeated?.action === 'accept' || (client.progress !== null && client.repeated === null)
  return mayHold ? hold(deps, call, asked) : { kind: 'unanswered' }
}

async function inputFrom(
  { broker }: McpDeps,
  { caller }: ToolCall,
  asked: Asked,
  callDigest: string,
): Promise<InputRequiredResult> {
  const { userId, agentId } = caller
  return inputRequired({
    inputRequests: { [ANSWER_KEY]: inputRequired.elicitUrl({ message: messageOf(asked), url: asked.url }) },
    requestState: await openRequestState(broker, { userId, agentId, callDigest, questionId: asked.id }),
  })
}

async function hold(deps: McpDeps, { caller, client }: ToolCall, { id, url }: Asked): Promise<AskedUser> {
  const stopTelling = tellWaiting(client, url)
  try {
    const question = await deps.held.hold(caller.agentId, () =>
      awaitAnswer(deps.broker, deps.changes, {
        userId: caller.userId,
        agentId: caller.agentId,
        id,
        withinMs: deps.holdMs,
        signal: AbortSignal.any([client.signal, deps.stopping]),
      }),
    )
    return question === undefined || question.state === 'waiting'
      ? { kind: 'unanswered' }
      : { kind: 'answered' }
  } finally {
    stopTelling()
  }
}

/** Clients take a call that says nothing for dead. */
function tellWaiting({ progress }: ClientSide, url: string): () => void {
  if (progress === null) return () => undefined
  const message = `Waiting for the user to answer at ${url}`
  progress(message)
  const timer = setInterval(() => progress(message), TICK_MS)
  return () => clearInterval(timer)
}

function messageOf({ kind }: Asked): string {
  return kind === 'approval'
    ? 'Look at exactly what is to be done, and say yes or no to it.'
    : 'Look at what is asked for, and allow it, narrow it or refuse it.'
}
