import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Programs of others that are no dependency of ours: driven where they are installed. */
const PROGRAMS = {
  qwen: { variable: 'COUNTERSIGN_QWEN', name: '@qwen-code/qwen-code 0.24.4' },
  'mcp-inspector': { variable: 'COUNTERSIGN_MCP_INSPECTOR', name: '@modelcontextprotocol/inspector 2.12.0' },
} as const

export type Program = keyof typeof PROGRAMS

/** The program that an environment variable names, or that npx has fetched before; undefined where there is none. */
export function findProgram(program: Program): string | undefined {
  const named = process.env[PROGRAMS[program].variable]
  if (named !== undefined && named !== '') {
    if (!existsSync(named)) throw new Error(`${PROGRAMS[program].variable} names no file`)
    return named
  }
  const cache = join(process.env.npm_config_cache ?? join(homedir(), '.npm'), '_npx')
  if (!existsSync(cache)) return undefined
  return readdirSync(cache)
    .map((folder) => join(cache, folder, 'node_modules', '.bin', program))
    .find((file) => existsSync(file))
}

/** What to say where a test is left out, so that nobody takes it for passed. */
export function leftOut(program: Program): string {
  const { variable, name } = PROGRAMS[program]
  return `left out: ${name} is not here (node test/clients/main.ts installs it; or set ${variable})`
}
