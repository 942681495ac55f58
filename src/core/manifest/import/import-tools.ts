import { isJsonObject, type JsonObject, type JsonValue, ownMember } from '../../json-value.ts'
import { checkText } from '../../text-rules.ts'
import { toolDigest, toolNameIn } from '../tool-definition.ts'
import { closeSchema, DEFAULT_BOUNDS, type SchemaRemark } from './close-schema.ts'

export interface ImportAbout {
  readonly skill: string
  readonly publisher: string
  readonly version: number
  readonly title: string
  readonly endpoint: { readonly transport: 'mcp'; readonly url: string } | { readonly transport: 'mcp-stdio' }
}

/** What a reviewer has to decide about one action before it can be signed. */
export type ToDecide = { readonly action: string; readonly tool: string; readonly points: readonly string[] }

export type ImportedManifest = {
  /** A manifest in which all that nobody can derive is marked; the lint refuses it until it is decided. */
  readonly manifest: JsonObject
  readonly toDecide: readonly ToDecide[]
}

const SENT = 'sent'
const RECEIVED = 'received'
/** Begins every text a person would be shown and nobody has looked at. */
export const TO_REVIEW = 'TODO'

/**
 * Makes a manifest from what an MCP server lists. A server's own words bind nobody: no action gets an effect, since one
 * that names none is refused; texts are marked until they are reviewed and translated; what the server hints at about
 * itself is told to the reviewer only. Digests bind each action to the definition it was made from.
 */
export function importTools(tools: readonly JsonValue[], about: ImportAbout): ImportedManifest {
  const named = tools.filter(isJsonObject).filter((tool) => toolNameIn(tool) !== undefined)
  const names = actionNames(named.map((tool) => toolNameIn(tool) ?? ''))
  const imported = named.map((tool, index) =>
    importTool(tool, names[index] ?? `tool_${index}`, about.publisher),
  )
  const manifest: JsonObject = {
    manifestVersion: 1,
    skill: about.skill,
    version: about.version,
    publisher: about.publisher,
    title: { en: shortened(about.title, 60), zh: `${TO_REVIEW} ${shortened(about.title, 50)}` },
    description: {
      en: `${TO_REVIEW}: what this skill does, in a sentence.`,
      zh: `${TO_REVIEW}: 用一句话说明这项技能。`,
    },
    endpoint: about.endpoint,
    runtimeKeys: [],
    categories: {
      [SENT]: { en: `${TO_REVIEW}: what is sent`, zh: `${TO_REVIEW}: 发送的内容` },
      [RECEIVED]: { en: `${TO_REVIEW}: what comes back`, zh: `${TO_REVIEW}: 返回的内容` },
    },
    recipients: [
      {
        id: about.publisher,
        role: 'processor',
        title: { en: `${TO_REVIEW}: who gets it`, zh: `${TO_REVIEW}: 接收方` },
        categories: [SENT],
      },
    ],
    memory: [],
    actions: imported.map(({ action }) => action),
  }
  return { manifest, toDecide: imported.map(({ toDecide }) => toDecide) }
}

function importTool(
  tool: JsonObject,
  name: string,
  recipient: string,
): { readonly action: JsonObject; readonly toDecide: ToDecide } {
  const toolName = toolNameIn(tool) ?? ''
  const input = closeSchema(ownMember(tool, 'inputSchema') ?? {}, 'input', SENT)
  const output = ownMember(tool, 'outputSchema')
  const result = output === undefined ? textResult() : closeSchema(output, 'result', RECEIVED)
  const title = shortened(titleIn(tool) ?? toolName, 70)
  const description = ownMember(tool, 'description')
  const said = typeof description === 'string' ? shortened(description, 380) : toolName
  return {
    action: {
      name,
      title: { en: title, zh: `${TO_REVIEW} ${title}` },
      description: { en: `${TO_REVIEW}: ${said}`, zh: `${TO_REVIEW}: 说明` },
      effects: [],
      tool: {
        name: toolName,
        digest: toolDigest(tool),
        answers: output === undefined ? 'text' : 'structured',
      },
      timeoutMs: 30_000,
      input: input.schema,
      result: result.schema,
      recipients: [recipient],
      remembers: [],
      honoursKeys: false,
    },
    toDecide: {
      action: name,
      tool: toolName,
      points: [
        `effects: none is named yet, and until then the widest is meant; ${hintsIn(tool)}`,
        'texts: read, mend and translate title and description: people agree to them',
        'categories, recipients, remembers: who gets what, and what is kept',
        ...input.remarks.map((remark) => remarkOn('input', remark)),
        ...result.remarks.map((remark) => remarkOn('result', remark)),
        ...(output === undefined
          ? ['result: the tool declares none, so its text is handed on as free text of a stranger']
          : []),
      ],
    },
  }
}

function textResult(): { readonly schema: JsonObject; readonly remarks: readonly SchemaRemark[] } {
  const text = { type: 'string', maxLength: DEFAULT_BOUNDS.resultCharacters, 'x-kind': 'freeText' }
  const schema = { type: 'object', properties: { text }, required: ['text'], additionalProperties: false }
  return { schema: { ...schema, 'x-category': RECEIVED }, remarks: [] }
}

function remarkOn(side: string, { pointer, remark }: SchemaRemark): string {
  return `${side}${pointer}: ${remark}`
}

/** What the server says of itself: worth reading, and never believed. */
function hintsIn(tool: JsonObject): string {
  const annotations = ownMember(tool, 'annotations')
  const hints = isJsonObject(annotations)
    ? Object.entries(annotations).filter(
        ([name, value]) => /^[A-Za-z]{1,40}Hint$/.test(name) && typeof value === 'boolean',
      )
    : []
  return hints.length === 0
    ? 'the server hints at nothing'
    : `the server hints, unproven: ${hints.map(([name, value]) => `${name} ${value}`).join(', ')}`
}

function titleIn(tool: JsonObject): string | undefined {
  const title = ownMember(tool, 'title')
  if (typeof title === 'string') return title
  const annotations = ownMember(tool, 'annotations')
  const inside = isJsonObject(annotations) ? ownMember(annotations, 'title') : undefined
  return typeof inside === 'string' ? inside : undefined
}

/** Names of actions from names of tools: each its own, of the characters an action may have. */
function actionNames(tools: readonly string[]): string[] {
  const taken = new Set<string>()
  return tools.map((tool) => {
    const words = tool
      .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '_')
      .replace(/^_+|_+$/g, '')
    const base = (/^[a-z]/.test(words) ? words : `tool_${words}`).slice(0, 44).replace(/_+$/, '')
    let name = base
    for (let count = 2; taken.has(name); count += 1) name = `${base}_${count}`
    taken.add(name)
    return name
  })
}

/** One line of visible characters, at most so long. */
function shortened(text: string, most: number): string {
  const line = text.normalize('NFC').replace(/\s+/g, ' ').trim()
  const visible = [...line].filter((character) => checkText(character, 'plain') === undefined).join('')
  return visible.length <= most ? visible : `${visible.slice(0, most - 1).trimEnd()}…`
}
