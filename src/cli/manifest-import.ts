import { writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { type ImportAbout, importTools, type ToDecide } from '../core/manifest/import/import-tools.ts'
import { toolNameIn } from '../core/manifest/tool-definition.ts'
import { visibleText } from '../core/text-rules.ts'
import { countOf } from './count-of.ts'
import type { McpPlace } from './list-tools.ts'
import { CannotRun, type Terminal } from './terminal.ts'

type Options = {
  url?: string
  command?: string
  skill: string
  publisher: string
  manifestVersion: string
  tool: string[]
  out?: string
  tokenVariable?: string
}

type Env = Readonly<Record<string, string | undefined>>

export function addManifestImport(manifest: Command, terminal: Terminal, env: Env): void {
  manifest
    .command('import')
    .description('write a manifest for an existing MCP server from its list of tools, to be reviewed')
    .argument('[args...]', 'arguments of --command, after --')
    .option('--url <url>', 'an MCP server over Streamable HTTP')
    .option('--command <program>', 'an MCP server to start, over its standard streams')
    .requiredOption('--skill <id>', 'the id the skill is to have, such as notes.team')
    .requiredOption('--publisher <id>', 'who will sign, such as example.com')
    .option('--manifest-version <number>', 'the version it is to have', '1')
    .option('--tool <name>', 'only this tool; may be given several times', collect, [])
    .option('--token-variable <name>', 'the environment variable that holds a bearer token for the URL')
    .option('--out <file>', 'where to write it (default: standard output)')
    .action(async (args: string[], options: Options) => {
      // Loaded here alone: the protocol's library is large, and no other command needs it.
      const { listTools } = await import('./list-tools.ts')
      const { title, tools } = await listTools(placeOf(options, args, env))
      const wanted = chosen(tools, options.tool)
      const { manifest: made, toDecide } = importTools(wanted, { ...aboutOf(options), title })
      const text = JSON.stringify(made, null, 2)
      if (options.out === undefined) terminal.out(text)
      else writeFileSync(options.out, `${text}\n`)
      report(toDecide, terminal)
    })
}

function collect(value: string, earlier: string[]): string[] {
  return [...earlier, value]
}

function placeOf({ url, command, tokenVariable }: Options, args: string[], env: Env): McpPlace {
  if ((url === undefined) === (command === undefined)) throw new CannotRun('give either --url or --command')
  if (command !== undefined) return { command, args }
  const token = tokenVariable === undefined ? undefined : env[tokenVariable]
  if (tokenVariable !== undefined && !token) throw new CannotRun(`${tokenVariable} is not set`)
  return { url: url ?? '', authorization: token === undefined ? undefined : `Bearer ${token}` }
}

function aboutOf({ url, skill, publisher, manifestVersion }: Options): Omit<ImportAbout, 'title'> {
  return {
    skill,
    publisher,
    version: Number(manifestVersion),
    endpoint: url === undefined ? { transport: 'mcp-stdio' } : { transport: 'mcp', url: new URL(url).href },
  }
}

function chosen<Tool>(tools: readonly Tool[], names: readonly string[]): readonly Tool[] {
  if (names.length === 0) return tools
  const nameOf = (tool: Tool) => toolNameIn(JSON.parse(JSON.stringify(tool)))
  const missing = names.filter((name) => !tools.some((tool) => nameOf(tool) === name))
  if (missing.length > 0) throw new CannotRun(`the server lists no tool ${missing.join(', ')}`)
  return tools.filter((tool) => names.includes(nameOf(tool) ?? ''))
}

/** What has to be decided goes where it does not end up in the file. */
function report(toDecide: readonly ToDecide[], terminal: Terminal): void {
  terminal.err(`${countOf(toDecide.length, 'action')} to review; manifest lint refuses all until it is done`)
  for (const { action, tool, points } of toDecide) {
    terminal.err(`${action} (tool ${visibleText(tool)})`)
    for (const point of points) terminal.err(`    ${visibleText(point)}`)
  }
}
