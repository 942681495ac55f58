import { onTestFinished } from 'vitest'
import { type ModelRequest, type ScriptedTurn, startScriptedModel } from '../support/scripted-model.ts'

export type Turn = ScriptedTurn | ((request: ModelRequest) => ScriptedTurn)

export type ScriptedTurns = {
  readonly baseUrl: string
  /** Says what the model says next, and returns the prompt that has it say so. */
  script(...turns: readonly Turn[]): string
}

/**
 * A model that follows a script in a conversation. Programs ask a model for more than that, such as a title or what to
 * remember: that is answered with a word, and uses nothing of the script up.
 */
export async function startScriptedTurns(): Promise<ScriptedTurns> {
  const left: Turn[] = []
  let prompts = 0
  const model = await startScriptedModel((request) => {
    const turn = goesOn(request, `errand-${prompts}.`) ? left.shift() : undefined
    return (typeof turn === 'function' ? turn(request) : turn) ?? { content: 'Done.' }
  })
  onTestFinished(() => model.close())
  return {
    baseUrl: model.baseUrl,
    script(...turns) {
      left.splice(0, left.length, ...turns)
      prompts += 1
      return `Do errand-${prompts}.`
    },
  }
}

/** Whether a request is the next step of this prompt: it ends with the prompt, or with what a tool said after it. */
function goesOn({ body: { messages, tools } }: ModelRequest, prompt: string): boolean {
  const at = messages.findLastIndex(({ content }) => JSON.stringify(content ?? '').includes(prompt))
  const after = messages.slice(at + 1)
  return tools !== undefined && at >= 0 && after.every(({ role }) => role === 'tool' || role === 'assistant')
}

export function toolCall(name: string, args: object): ScriptedTurn {
  return { toolCalls: [{ name, arguments: args }] }
}
