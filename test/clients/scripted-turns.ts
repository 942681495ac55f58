import { onTestFinished } from 'vitest'
import { type ModelRequest, type ScriptedTurn, startScriptedModel } from '../support/scripted-model.ts'

export type Turn = ScriptedTurn | ((request: ModelRequest) => ScriptedTurn)

/** Stands in every prompt, so that what a program asks a model beside the conversation is not taken for it. */
export const MARK = 'MARK'

export type ScriptedTurns = {
  readonly baseUrl: string
  /** What the model says next in the conversation. */
  script(...turns: readonly Turn[]): void
}

/** A model that follows a script in the conversation, and answers whatever else it is asked with a word. */
export async function startScriptedTurns(): Promise<ScriptedTurns> {
  const left: Turn[] = []
  const model = await startScriptedModel((request) => {
    const isConversation = request.body.messages.some(({ content }) =>
      JSON.stringify(content ?? '').includes(MARK),
    )
    const turn = isConversation && request.body.tools ? left.shift() : undefined
    return (typeof turn === 'function' ? turn(request) : turn) ?? { content: 'Done.' }
  })
  onTestFinished(() => model.close())
  return {
    baseUrl: model.baseUrl,
    script(...turns) {
      left.splice(0, left.length, ...turns)
    },
  }
}

export function toolCall(name: string, args: object): ScriptedTurn {
  return { toolCalls: [{ name, arguments: args }] }
}
