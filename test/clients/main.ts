/**
 * Drives Qwen Code and MCP Inspector, which are no dependencies of ours, against a broker that runs:
 *
 *     node test/clients/main.ts
 *
 * Installs both into a temporary folder unless COUNTERSIGN_QWEN and COUNTERSIGN_MCP_INSPECTOR name them, runs the tests
 * of this folder, and prints what the programs said. Needs the npm registry, and Node 22 or newer for the programs.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PROGRAMS = [
  { variable: 'COUNTERSIGN_QWEN', name: 'qwen', from: '@qwen-code/qwen-code@0.24.4' },
  {
    variable: 'COUNTERSIGN_MCP_INSPECTOR',
    name: 'mcp-inspector',
    from: '@modelcontextprotocol/inspector@2.12.0',
  },
]

const root = new URL('../..', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'countersign-clients-'))
const transcript = join(folder, 'transcript.txt')
const env: NodeJS.ProcessEnv = { ...process.env, COUNTERSIGN_TRANSCRIPT: transcript }
try {
  for (const { variable, name, from } of PROGRAMS) {
    if (env[variable]) continue
    const prefix = join(folder, name)
    run('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefix', prefix, from])
    env[variable] = join(prefix, 'node_modules', '.bin', name)
  }
  const vitest = join(root, 'node_modules', '.bin', 'vitest')
  process.exitCode = run(vitest, ['run', '--project', 'embedded', 'test/clients'])
  if (existsSync(transcript)) process.stdout.write(`\n${readFileSync(transcript, 'utf8')}`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function run(file: string, args: readonly string[]): number {
  const { status } = spawnSync(file, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0 && file === 'npm') throw new Error('npm could not install the programs')
  return status ?? 1
}
