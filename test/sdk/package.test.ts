import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
/** What an empty project has beside the package: its one dependency, and types of Node for whoever checks types. */
const BESIDE = ['zod', '@types/node', 'undici-types']

const folder = mkdtempSync(join(tmpdir(), 'countersign-package-'))
let built: string
let project: string
let entries: string[]

function run(script: string, ...args: string[]) {
  const ran = spawnSync(process.execPath, [join(ROOT, script), ...args], { cwd: project, encoding: 'utf8' })
  return { status: ran.status, output: `${ran.stdout}${ran.stderr}` }
}

/** Runs a program in the project and returns what it prints. */
function node(source: string): string {
  return execFileSync(process.execPath, ['--input-type=module', '-e', source], {
    cwd: project,
    encoding: 'utf8',
  })
}

beforeAll(() => {
  built = join(folder, 'built')
  project = join(folder, 'project')
  mkdirSync(join(project, 'node_modules/@types'), { recursive: true })
  const made = run('.ci/build-package.ts', built)
  if (made.status !== 0) throw new Error(made.output)

  const packed = execFileSync(
    'npm',
    ['pack', built, '--json', '--ignore-scripts', '--pack-destination', folder],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  )
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }]
  execFileSync('tar', ['-xzf', join(folder, filename), '-C', folder])
  cpSync(join(folder, 'package'), join(project, 'node_modules/countersign'), { recursive: true })
  for (const name of BESIDE) {
    symlinkSync(join(ROOT, 'node_modules', name), join(project, 'node_modules', name))
  }
  writeFileSync(join(project, 'package.json'), '{ "name": "consumer", "type": "module", "private": true }')
  const { exports } = JSON.parse(readFileSync(join(built, 'package.json'), 'utf8'))
  entries = Object.keys(exports).filter((name) => name !== './package.json')
}, 120_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the package', () => {
  it('has an entry for agents, loops, skills and auditors, and needs nothing of a server', () => {
    const {
      dependencies,
      private: isPrivate,
      bin,
    } = JSON.parse(readFileSync(join(built, 'package.json'), 'utf8'))
    expect(entries).toEqual(
      ['agent', 'tool-loop', 'skill-guard', 'verify', 'notices', 'webhooks'].map((name) => `./${name}`),
    )
    expect([Object.keys(dependencies), isPrivate, bin]).toEqual([['zod'], undefined, undefined])
    const ours = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    expect(ours.private).toBe(true)
  })

  it('holds no source of the broker', () => {
    const files = execFileSync('find', [join(project, 'node_modules/countersign'), '-type', 'f'], {
      encoding: 'utf8',
    })
    expect(files).not.toMatch(/\/(broker|store|http|oauth|pages|mcp|keys|demo)\//)
    expect(files.split('\n').filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))).toEqual([])
  })

  it('loads each entry in an empty project, by import and by require', () => {
    for (const entry of entries) {
      const name = `countersign${entry.slice(1)}`
      const imported = node(`console.log(Object.keys(await import('${name}')).length)`)
      expect([entry, Number(imported)]).toEqual([entry, expect.toSatisfy((count) => count > 0)])
      const required = node(
        `import { createRequire } from 'node:module'
         console.log(Object.keys(createRequire(process.cwd() + '/x.js')('${name}')).length)`,
      )
      expect([entry, Number(required)]).toEqual([entry, Number(imported)])
    }
  })

  it('does the same as the source it is made from', () => {
    const said = node(`
      import { createSkillGuard } from 'countersign/skill-guard'
      const guard = createSkillGuard({ issuer: 'https://b.example', baseUrl: 'https://s.example', keys: { keys: [] } })
      const verdict = await guard.verify({ method: 'POST', url: '/x', authorization: 'Bearer a.b.c', body: new Uint8Array() })
      console.log(JSON.stringify(verdict))`)
    expect(JSON.parse(said)).toMatchObject({ ok: false, status: 401 })
  })

  it.each(['NodeNext', 'Bundler'])(
    'gives a consumer who resolves by %s its types',
    (resolution) => {
      writeFileSync(
        join(project, 'consumer.ts'),
        `import { agentTokens, createAgentClient, memoryTokenStore, type Performed } from 'countersign/agent'
import { createIdempotentCalls, createSkillGuard, fetchSkillGuard } from 'countersign/skill-guard'
import { createToolLoop, type ToolLoopEnd } from 'countersign/tool-loop'
import { verifyReceipt } from 'countersign/verify'

const broker = 'https://broker.example'
const client = createAgentClient({ broker, credential: agentTokens({ broker, store: memoryTokenStore() }) })
const answer = await client.perform({ skill: 'coffee.order', action: 'get_menu', arguments: { store_id: 'A' } })
const kind: Performed['kind'] | undefined = answer.ok ? answer.value.kind : undefined
if (!answer.ok) console.log(answer.fault.code, kind)
const loop = createToolLoop({
  client,
  model: {
    baseUrl: 'http://127.0.0.1:8000/v1',
    model: 'qwen',
    deployment: {
      brand: 'Qwen', family: 'Qwen3', checkpoint: 'qwen', thinking: 'off',
      path: { kind: 'self-hosted', runtime: 'vllm', repository: 'Qwen/Qwen3', revision: 'main' },
    },
  },
})
const end: ToolLoopEnd = await loop.run({ prompt: 'Hello' })
if (end.kind === 'stopped') console.log(end.code satisfies string)
const guard = createSkillGuard({ issuer: broker, baseUrl: 'https://skill.example', keys: { url: broker } })
export const handle: (request: Request) => Promise<Response> = fetchSkillGuard(
  guard,
  (call) => Response.json({ id: call.executionId }),
  { once: createIdempotentCalls() },
)
// @ts-expect-error A key set is a list or a URL.
createSkillGuard({ issuer: broker, baseUrl: broker, keys: 'https://broker.example' })
export const verdict = verifyReceipt({}, { keys: [], vkey: '', issuer: broker }).kind
`,
      )
      const module = resolution === 'Bundler' ? 'ESNext' : 'NodeNext'
      const options = ['--noEmit', '--strict', '--target', 'ES2024', '--types', 'node', '--module', module]
      const checked = run(
        'node_modules/typescript/bin/tsc',
        ...options,
        '--moduleResolution',
        resolution,
        '--exactOptionalPropertyTypes',
        // Declarations are the same either way, and are checked in full once.
        ...(resolution === 'Bundler' ? ['--skipLibCheck'] : []),
        'consumer.ts',
      )
      expect(checked).toEqual({ status: 0, output: '' })
    },
    120_000,
  )

  it('weighs about what the README says of each entry', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
    const { output } = run('.ci/check-package.ts', built)
    for (const entry of entries) {
      const name = entry.slice(2)
      const [, actual] = new RegExp(`^\\./${name} +\\d+ files +([\\d.]+) kB`, 'm').exec(output) ?? []
      const [, told] =
        new RegExp(`^\\| \`countersign/${name}\` \\|.*?\\| ([\\d.]+) kB \\|`, 'm').exec(readme) ?? []
      expect([name, Math.abs(Number(told) / Number(actual) - 1) < 0.1]).toEqual([name, true])
    }
  }, 60_000)

  it('passes publint and are-the-types-wrong, which find fault with one that is broken', () => {
    const good = run('.ci/check-package.ts', built)
    expect(good.status, good.output).toBe(0)
    for (const entry of entries) expect(good.output).toContain(entry)

    const broken = join(folder, 'broken')
    cpSync(built, broken, { recursive: true })
    rmSync(join(broken, 'sdk/entries/verify.d.ts'))
    const bad = run('.ci/check-package.ts', broken)
    expect(bad.status).toBe(1)
    expect(bad.output).toMatch(/publint: [\s\S]*are-the-types-wrong: /)
  }, 120_000)
})
