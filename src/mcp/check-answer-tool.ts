import { z } from 'zod'
import { type AgentQuestion, agentQuestion, type QuestionState } from '../broker/agent-question.ts'
import { awaitAnswer } from '../broker/await-answer.ts'
import { askedOf } from './ask-for-consent.ts'
import type { ToolCall } from './call-context.ts'
import type { McpDeps } from './mcp-deps.ts'
import { describeOwnTool, type OwnTool } from './own-tool.ts'
import { ownResult, refusedResult } from './tool-answer.ts'

const WAIT_SECONDS_MOST = 45
const shape = z.strictObject({
  reference: z.string().min(1).max(64),
  waitSeconds: z.int().min(0).max(WAIT_SECONDS_MOST).optional(),
})

/** Tells how a question stands that this agent asked, and waits a while for the answer where it is asked to. */
export const checkAnswerTool: OwnTool = {
  tool: describeOwnTool({
    name: 'countersign_check_answer',
    title: 'Check whether the user has answered',
    description:
      'Tells whether the user has answered a question of yours, by the reference you were given (apr_… or crq_…).',
    properties: {
      reference: { type: 'string', maxLength: 64, description: 'The reference you were given.' },
      waitSeconds: {
        type: 'integer',
        minimum: 0,
        maximum: WAIT_SECONDS_MOST,
        description: 'How long to wait for the answer; at once if left out.',
      },
    },
    required: ['reference'],
    readOnly: true,
  }),
  async run(deps, call) {
    const parsed = shape.safeParse(call.arguments)
    if (!parsed.success) {
      return refusedResult({ code: 'invalid_arguments', detail: z.prettifyError(parsed.error), next: '' })
    }
    const { reference, waitSeconds = 0 } = parsed.data
    const question = await lookOrWait(deps, call, reference, waitSeconds * 1000)
    if (!question) {
      return refusedResult({ code: 'not_found', detail: 'You asked no such question.', next: '' })
    }
    const { id, url } = askedOf(deps.broker, question)
    const lines = [`${question.state}: ${WORDS[question.state]}`]
    if (question.state === 'waiting') lines.push(`The user answers here: ${url}`)
    lines.push(`Reference: ${id}`)
    return ownResult(lines.join('\n'), { ...question, url })
  },
}

async function lookOrWait(
  { broker, changes, held, stopping }: McpDeps,
  { caller, client }: ToolCall,
  id: string,
  withinMs: number,
): Promise<AgentQuestion | undefined> {
  const { userId, agentId } = caller
  const question = await agentQuestion(broker, { userId, agentId, id })
  if (question?.state !== 'waiting' || withinMs === 0) return question
  const signal = AbortSignal.any([client.signal, stopping])
  const wait = () => awaitAnswer(broker, changes, { userId, agentId, id, withinMs, signal })
  return (await held.hold(agentId, wait)) ?? question
}

const WORDS: Readonly<Record<QuestionState, string>> = {
  waiting: 'The user has not answered yet.',
  approved: 'The user said yes. Call the tool again with the same arguments.',
  refused: 'The user said no. Do something else.',
  used: 'The user said yes, and it was done.',
  withdrawn: 'The question is no longer asked.',
  expired: 'Nobody answered in time. Call the tool again to ask anew.',
}
