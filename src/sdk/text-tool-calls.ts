import { isJsonObject, type JsonObject } from '../core/json-value.ts'
import { parseStrictJson } from '../core/strict-json.ts'

/** A call found in a model's text. What cannot be read in one way only is a fault, and is not mended. */
export type TextCall =
  | { readonly kind: 'json'; readonly name: string; readonly arguments: JsonObject }
  /** Values are text; what they mean is the schema's to say. */
  | { readonly kind: 'xml'; readonly name: string; readonly parameters: ReadonlyMap<string, string> }
  | { readonly kind: 'fault'; readonly detail: string }

export type TextCalls = {
  /** The text without thinking and calls. */
  readonly text: string
  readonly thinking: string
  readonly calls: readonly TextCall[]
}

const OPEN = '<tool_call>'
const CLOSE = '</tool_call>'
const THINK_END = '</think>'

/**
 * Reads the calls that a model wrote into its text because the endpoint has no parser for them: Hermes style, JSON with
 * `name` and `arguments`, or the XML style of Qwen3-Coder, each in a `<tool_call>` of its own. What stands in the
 * model's thinking is no call.
 */
export function readTextCalls(content: string): TextCalls {
  const { thinking, text } = splitThinking(content)
  const calls: TextCall[] = []
  let plain = ''
  let at = 0
  for (;;) {
    const open = text.indexOf(OPEN, at)
    if (open === -1) break
    plain += text.slice(at, open)
    const close = text.indexOf(CLOSE, open)
    if (close === -1) {
      calls.push({ kind: 'fault', detail: `${OPEN} is not closed` })
      at = text.length
      break
    }
    calls.push(readCall(text.slice(open + OPEN.length, close).trim()))
    at = close + CLOSE.length
  }
  plain += text.slice(at)
  // Qwen3-Coder leaves the wrapper out now and then: meant as a call, and not one.
  if (calls.length === 0 && /<function=[^>]*>/.test(plain)) {
    calls.push({ kind: 'fault', detail: `<function=…> stands outside of ${OPEN}` })
  }
  return { text: plain.trim(), thinking, calls }
}

/** Thinking ends at its last end mark; a template may have opened it before the model began. */
function splitThinking(content: string): { thinking: string; text: string } {
  const end = content.lastIndexOf(THINK_END)
  if (end !== -1) {
    const thinking = content.slice(0, end).replace(/^\s*<think>/, '')
    return { thinking: thinking.trim(), text: content.slice(end + THINK_END.length) }
  }
  const isCut = /^\s*<think>/.test(content)
  return isCut ? { thinking: content.trim(), text: '' } : { thinking: '', text: content }
}

function readCall(block: string): TextCall {
  return block.startsWith('<function=') ? readXml(block) : readJson(block)
}

function readJson(block: string): TextCall {
  const parsed = parseStrictJson(block)
  if (!parsed.ok)
    return { kind: 'fault', detail: `the call is not JSON: ${parsed.code} at ${place(parsed.pointer)}` }
  const { value } = parsed
  if (!isJsonObject(value)) return { kind: 'fault', detail: 'the call is not a JSON object' }
  const { name, arguments: args, ...others } = value
  if (typeof name !== 'string') return { kind: 'fault', detail: 'the call names no tool' }
  const [other] = Object.keys(others)
  if (other !== undefined) return { kind: 'fault', detail: 'the call has members besides name and arguments' }
  if (!isJsonObject(args)) return { kind: 'fault', detail: 'arguments is not a JSON object' }
  return { kind: 'json', name, arguments: args }
}

const FUNCTION = /^<function=([^>\s]+)>([\s\S]*)<\/function>$/
const PARAMETER = /\s*<parameter=([^>\s]+)>([\s\S]*?)<\/parameter>/y

function readXml(block: string): TextCall {
  const called = FUNCTION.exec(block)
  const [, name, body = ''] = called ?? []
  if (name === undefined) return { kind: 'fault', detail: '<function=…> is not closed' }
  const parameters = new Map<string, string>()
  let at = 0
  for (;;) {
    PARAMETER.lastIndex = at
    const found = PARAMETER.exec(body)
    if (!found) break
    const [, parameter = '', text = ''] = found
    if (parameters.has(parameter)) return { kind: 'fault', detail: 'a parameter is given twice' }
    parameters.set(parameter, withoutFrame(text))
    at = PARAMETER.lastIndex
  }
  if (body.slice(at).trim() !== '')
    return { kind: 'fault', detail: 'something stands between the parameters' }
  return { kind: 'xml', name, parameters }
}

/** The template sets each value on lines of its own; further line breaks are the value's. */
function withoutFrame(text: string): string {
  return text.replace(/^\r?\n/, '').replace(/\r?\n$/, '')
}

function place(pointer: string): string {
  return pointer === '' ? 'its beginning or end' : pointer
}
