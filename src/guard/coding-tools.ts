import { z } from 'zod'
import { canonicalJson } from '../core/canonical-json.ts'
import type { JsonObject } from '../core/json-value.ts'
import { localPath, staysBelow } from './local-path.ts'
import { digestOf, shownText } from './shown-text.ts'

/** The skill whose manifest says what a coding agent's tools do; the broker decides by it. */
export const CODING_SKILL = 'coding.local'

export type CodingCall = { readonly action: string; readonly arguments: JsonObject }
export type Mapped =
  | { readonly kind: 'call'; readonly call: CodingCall }
  | { readonly kind: 'refused'; readonly reason: string }

export type MappingOptions = {
  /** The folder that consent is asked for; named where a call leaves out which one it means. */
  readonly workspace: string
  /** Commands that consent is asked for word for word. */
  readonly listed: ReadonlySet<string>
}

type Mapper = (args: unknown, options: MappingOptions) => Mapped

/**
 * Says what a tool of Qwen Code would do, in the words of the coding manifest. What is not known, in a name or in an
 * argument, is refused: it may do anything.
 */
export function mapTool(toolName: string, args: unknown, options: MappingOptions): Mapped {
  if (toolName.startsWith('mcp__')) return mcpTool(toolName, args)
  const mapper = Object.hasOwn(TOOLS, toolName) ? TOOLS[toolName] : undefined
  if (!mapper)
    return refused(`The tool ${toolName.slice(0, 100)} is not one Countersign knows, so it is refused.`)
  return mapper(args, options)
}

const text = z.string()
const maybe = <Shape extends z.ZodType>(shape: Shape) => shape.nullish()
const whole = z.int().min(0)

const PLAN_TOOLS = [
  'todo_write',
  'tool_search',
  'ask_user_question',
  'enter_plan_mode',
  'exit_plan_mode',
] as const

const TOOLS: Readonly<Record<string, Mapper>> = {
  read_file: mapper(
    z.strictObject({ file_path: text, offset: maybe(whole), limit: maybe(whole), pages: maybe(text) }),
    ({ file_path, offset, limit, pages }, { workspace }) => {
      const part = [
        ...(offset == null ? [] : [`from line ${offset}`]),
        ...(limit == null ? [] : [`${limit} lines`]),
        ...(pages == null ? [] : [`pages ${pages}`]),
      ].join(', ')
      return atPath(file_path, workspace, (path) =>
        call('read_file', { path, ...(part === '' ? {} : { part }) }),
      )
    },
  ),
  list_directory: mapper(
    z.strictObject({
      path: text,
      ignore: maybe(z.array(text)),
      file_filtering_options: maybe(z.record(z.string(), z.json())),
    }),
    ({ path }, { workspace }) =>
      atPath(path, workspace, (folder) => call('search_files', { folder, how: 'list' })),
  ),
  glob: mapper(z.strictObject({ pattern: text, path: maybe(text) }), ({ pattern, path }, { workspace }) => {
    if (!staysBelow(pattern)) return refused('The pattern could lead out of its folder.')
    return atPath(path ?? '', workspace, (folder) => call('search_files', { folder, how: 'names', pattern }))
  }),
  grep_search: mapper(
    z.strictObject({ pattern: text, glob: maybe(text), path: maybe(text), limit: maybe(whole) }),
    ({ pattern, glob, path }, { workspace }) => {
      if (glob != null && !staysBelow(glob.replace(/^!/, ''))) {
        return refused('The pattern of files could lead out of its folder.')
      }
      return atPath(path ?? '', workspace, (folder) =>
        call('search_files', { folder, how: 'contents', pattern, ...(glob == null ? {} : { files: glob }) }),
      )
    },
  ),
  write_file: mapper(
    z.strictObject({ file_path: text, content: text, record_as_artifact: maybe(z.boolean()) }),
    ({ file_path, content }, { workspace }) => {
      const shown = shownText(content)
      return atPath(file_path, workspace, (path) =>
        call('write_file', {
          path,
          digest: digestOf(content),
          characters: content.length,
          isWhole: shown.isWhole,
          content: shown.text,
        }),
      )
    },
  ),
  edit: mapper(
    z.strictObject({ file_path: text, old_string: text, new_string: text, replace_all: maybe(z.boolean()) }),
    ({ file_path, old_string, new_string, replace_all }, { workspace }) =>
      change(
        file_path,
        workspace,
        old_string,
        new_string,
        replace_all ? 'everywhere in the file' : undefined,
      ),
  ),
  notebook_edit: mapper(
    z.strictObject({
      notebook_path: text,
      cell_id: maybe(text),
      new_source: maybe(text),
      cell_type: maybe(z.enum(['code', 'markdown'])),
      edit_mode: maybe(z.enum(['replace', 'insert', 'delete'])),
    }),
    ({ notebook_path, cell_id, new_source, cell_type, edit_mode }, { workspace }) => {
      const place = `${edit_mode ?? 'replace'} ${cell_type ?? ''} cell ${cell_id ?? ''}`
      return change(notebook_path, workspace, '', new_source ?? '', place)
    },
  ),
  run_shell_command: mapper(
    z.strictObject({
      command: text,
      is_background: maybe(z.boolean()),
      timeout: maybe(whole),
      description: maybe(text),
      directory: maybe(text),
    }),
    ({ command, is_background, directory }, options) =>
      run(command, directory, is_background === true, options),
  ),
  monitor: mapper(
    z.strictObject({
      command: text,
      description: maybe(text),
      max_events: maybe(whole),
      idle_timeout_ms: maybe(whole),
      directory: maybe(text),
    }),
    ({ command, directory }, options) => run(command, directory, true, options),
  ),
  web_fetch: mapper(
    z.strictObject({ url: text, prompt: text, format: maybe(z.enum(['auto', 'markdown', 'html', 'text'])) }),
    ({ url, prompt }) => {
      const question = shownText(prompt)
      return question.isWhole
        ? call('fetch_page', { url, question: question.text })
        : refused('The question to the page is too long to be shown.')
    },
  ),
  web_search: mapper(z.strictObject({ query: text }), ({ query }) => call('search_web', { query })),
  ...Object.fromEntries(PLAN_TOOLS.map((tool) => [tool, () => call('plan', { tool })])),
}

/** @param known every argument the tool has: one that is not listed may change what it does. */
function mapper<Shape extends z.ZodType>(
  known: Shape,
  map: (args: z.infer<Shape>, options: MappingOptions) => Mapped,
): Mapper {
  return (args, options) => {
    const parsed = known.safeParse(args)
    if (parsed.success) return map(parsed.data, options)
    const at = parsed.error.issues[0]
    const name = at?.code === 'unrecognized_keys' ? at.keys.join(', ') : (at?.path.join('/') ?? '')
    return refused(
      `Countersign does not understand the argument ${name.slice(0, 100)}, so it refuses the call.`,
    )
  }
}

function change(file: string, workspace: string, before: string, after: string, place?: string): Mapped {
  const [was, is] = [shownText(before), shownText(after)]
  return atPath(file, workspace, (path) =>
    call('edit_file', {
      path,
      ...(place === undefined ? {} : { place: place.slice(0, 200) }),
      digest: digestOf(place ?? '', before, after),
      isWhole: was.isWhole && is.isWhole,
      before: was.text,
      after: is.text,
    }),
  )
}

/** A command is taken as a whole: what is listed is compared with all of it, and nothing of it is read. */
function run(
  command: string,
  directory: string | null | undefined,
  inBackground: boolean,
  options: MappingOptions,
): Mapped {
  const action = options.listed.has(command) ? 'run_listed_command' : 'run_command'
  return atPath(directory ?? '', options.workspace, (folder) =>
    call(action, { command, folder, inBackground }),
  )
}

function mcpTool(tool: string, args: unknown): Mapped {
  const parsed = z.record(z.string(), z.json()).safeParse(args)
  if (!parsed.success) return refused('The arguments are no object.')
  const exact = canonicalJson(parsed.data)
  const shown = shownText(exact)
  return call('use_mcp_tool', {
    tool,
    digest: digestOf(exact),
    isWhole: shown.isWhole,
    arguments: shown.text,
  })
}

/** Where a call leaves its folder out, only Qwen Code knows which one it means: it has to be named. */
function atPath(text: string, workspace: string, map: (path: string) => Mapped): Mapped {
  const path = localPath(text)
  if (path !== undefined) return map(path)
  return refused(
    `Write the path or folder out in full, without steps such as "..": for instance ${workspace}`,
  )
}

function call(action: string, args: JsonObject): Mapped {
  return { kind: 'call', call: { action, arguments: args } }
}

function refused(reason: string): Mapped {
  return { kind: 'refused', reason }
}
