import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startBroker } from '../../src/compose.ts'
import { readConfig } from '../../src/config.ts'
import { lintManifest } from '../../src/core/manifest/lint-manifest.ts'
import { parseManifest } from '../../src/core/manifest/parse-manifest.ts'
import type { OpenApiDocument } from '../../src/http/openapi.ts'
import { PROBLEMS } from '../../src/http/problem-codes.ts'
import { KEY_PURPOSES } from '../../src/ports/signer.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const README = read('README.md')
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'test/conformance/README.md',
  'test/conformance/log/README.md',
  'test/conformance/traps/README.md',
]

/** The name GitHub and others give a heading. */
function anchorOf(heading: string): string {
  const words = heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '')
  return words.replaceAll(' ', '-')
}

function anchorsOf(text: string): string[] {
  return [...text.replace(/^```.*?^```/gms, '').matchAll(/^#+ (.+)$/gm)].map(([, it]) => anchorOf(it ?? ''))
}

function matches(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([whole, part]) => part ?? whole))]
}

describe.each(PAGES)('%s', (page) => {
  const text = read(page)

  it('has only links that lead somewhere', () => {
    const links = matches(text, /\]\(([^)\s]+)\)/g).filter((link) => !/^https?:/.test(link))
    const broken = links.filter((link) => {
      const [path = '', anchor] = link.split('#')
      const file = path === '' ? join(ROOT, page) : resolve(ROOT, dirname(page), path)
      if (!existsSync(file)) return true
      return anchor !== undefined && !anchorsOf(readFileSync(file, 'utf8')).includes(anchor)
    })
    expect(broken).toEqual([])
  })

  it('names only scripts that package.json has', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const named = matches(text, /npm run (?:-s )?([a-z][a-z:]*)/g)
    expect(named.filter((name) => !(name in scripts))).toEqual([])
  })

  it('names only tests that exist', () => {
    const named = matches(text, /`((?:\.\.\/|test\/)[\w./-]+\.test\.ts)`/g)
    const missing = named.filter((path) => {
      const from = path.startsWith('test/') ? ROOT : join(ROOT, dirname(page))
      return !existsSync(resolve(from, path))
    })
    expect(missing).toEqual([])
  })
})

describe('the settings of the README', () => {
  const config = read('src/config.ts')
  const known = matches(config, /reader\.\w+\(\s*'([A-Z_]+)'/g).map((name) => `COUNTERSIGN_${name}`)
  const rows = new Map(matches(README, /^\| `COUNTERSIGN_.*$/gm).map((row) => [row.split('`')[1] ?? '', row]))

  it('are those of the configuration, each in the table, and no other is named', () => {
    expect(known.length).toBeGreaterThan(15)
    expect([...rows.keys()].sort()).toEqual([...known].sort())
    expect(matches(README, /COUNTERSIGN_[A-Z_]+/g).filter((name) => !known.includes(name))).toEqual([])
    expect(matches(read('CHANGELOG.md'), /COUNTERSIGN_[A-Z_]+/g).filter((it) => !known.includes(it))).toEqual(
      [],
    )
  })

  it('have the defaults that the configuration gives them', () => {
    const defaults = [...config.matchAll(/reader\.(?:integer|text)\('([A-Z_]+)', '?([\w./]+)/g)]
    expect(defaults.length).toBeGreaterThan(10)
    for (const [, name, value] of defaults) {
      // Named in words: they are places in the data folder.
      if (value === 'join' || value === 'dataFolder') continue
      const shown = rows.get(`COUNTERSIGN_${name}`)?.split('|')[2]?.replaceAll('`', '').trim()
      expect([name, shown]).toEqual([name, value?.replaceAll('_', '')])
    }
  })
})

/** What the broker writes into its own logs, by name. */
function events(): string[] {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  const code = files.filter((name) => name.endsWith('.ts')).map((name) => read(`src/${name}`))
  return matches(code.join('\n'), /logger\s*\.(?:info|warn|error)\(\s*'([a-z_]+)'/g)
}

describe('the API of the README', () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-docs-'))
  let paths: readonly string[]
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  beforeAll(async () => {
    const read = readConfig({
      COUNTERSIGN_PORT: '0',
      COUNTERSIGN_DATA: folder,
      COUNTERSIGN_LOG_LEVEL: 'silent',
    })
    if (!read.ok) throw new Error(read.faults.join('; '))
    const running = await startBroker(read.config)
    const document = (await (await fetch(`${running.url}/openapi.json`)).json()) as OpenApiDocument
    paths = Object.keys(document.paths)
    await running.stop()
  })

  it.each(['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md'])(
    'is served and described: every route that %s names',
    (page) => {
      const served = [...paths, '/problems/{code}'].map((path) => path.replace(/\{[^}]*\}/g, '*').split('/'))
      const named = matches(read(page), /(?<![\w.~-])(\/(?:v1|log|problems)\/[\w/{}:.-]*\w[\w}]*)/g)
      const unknown = named.filter((path) => {
        const parts = path.split('/')
        const isPart = (own: readonly string[]) => parts.every((part, i) => own[i] === '*' || own[i] === part)
        return !served.some(isPart)
      })
      expect(unknown).toEqual([])
    },
  )

  it('describes what people’s terminals and webhooks need', () => {
    expect(paths).toEqual(
      expect.arrayContaining(['/v1/terminal-logins', '/v1/terminal-logins/poll', '/v1/webhook-keys']),
    )
  })

  it('answers with the codes that are named', () => {
    const shown = matches(README, /(?<!"error":\{)"code":"(\w+)"/g)
    const listed = matches(read('CHANGELOG.md'), /`([a-z]+(?:_[a-z]+)+)`/g)
    expect(shown.length).toBeGreaterThan(3)
    const leafTypes = matches(read('src/core/log/leaf.ts'), /^ {2}\| '([a-z_]+)'/gm)
    const known = new Set([...Object.keys(PROBLEMS), ...events(), ...leafTypes])
    expect([...shown, ...listed].filter((code) => !known.has(code))).toEqual([])
  })
})

describe('the commands of the README', () => {
  const help = (...args: string[]) =>
    execFileSync(process.execPath, [join(ROOT, 'src/cli/main.ts'), ...args, '--help'], { encoding: 'utf8' })
  const named = matches(README, /countersign ((?:keys|manifest|log|token) [a-z]+|doctor)\b/g)

  it('exist, with the options that are used', () => {
    expect(named.length).toBeGreaterThan(8)
    for (const command of named) {
      const text = help(...command.split(' '))
      expect(text).toContain(`Usage: countersign ${command} `)
      const uses = README.match(new RegExp(`countersign ${command}(?:\\\\\\n|[^\\n\`])*`, 'g')) ?? []
      for (const option of matches(uses.join(' ').replace(/\$\(.*?\)/g, ''), /--[a-z][a-z-]+/g))
        expect([command, option, text.includes(`${option} `)]).toEqual([command, option, true])
    }
  })

  it('include every one there is', () => {
    const groups = ['keys', 'manifest', 'log', 'token']
    const commands = groups.flatMap((group) =>
      matches(help(group).split('Commands:')[1] ?? '', /^ {2}([a-z]+) \[options\]/gm).map(
        (it) => `${group} ${it}`,
      ),
    )
    const spelt = README.replace(
      'countersign token agent|user|operator',
      'token agent token user token operator',
    )
    expect(commands.length).toBeGreaterThan(10)
    expect(commands.filter((command) => !spelt.includes(command))).toEqual([])
  })

  it('say what to do about each key of the broker', () => {
    const table = README.split('### Keys')[1]?.split('\n## ')[0] ?? ''
    for (const purpose of KEY_PURPOSES) expect(table).toContain(`| \`${purpose}\` |`)
  })
})

describe('the manifest of the README', () => {
  it('has no errors, and the warning that is shown', () => {
    const parsed = parseManifest(/^```json\n(.*?)^```/ms.exec(README)?.[1] ?? '')
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults))
    const faults = lintManifest(parsed.manifest, { allowDevelopment: true })
    expect(faults.map(({ severity, code }) => [severity, code])).toEqual([
      ['warning', 'only_operators_can_settle'],
    ])
    expect(README).toContain(parsed.digest)
  })
})

describe('the map of CONTRIBUTING.md', () => {
  const map =
    read('CONTRIBUTING.md')
      .split('```')
      .find((block) => block.includes('composition root')) ?? ''

  it('has every folder of src, and no other', () => {
    const folders = (path: string) =>
      readdirSync(join(ROOT, path), { withFileTypes: true })
        .filter((it) => it.isDirectory())
        .map(({ name }) => name)
    expect(matches(map, /^ {2}([a-z-]+)\//gm).sort()).toEqual(folders('src').sort())
    expect(matches(map, /^ {4}([a-z-]+)\//gm).sort()).toEqual(folders('src/core').sort())
  })

  it('has every file at the top of src', () => {
    const files = readdirSync(join(ROOT, 'src')).filter((name) => name.endsWith('.ts'))
    expect(matches(map, /^ {2}([a-z-]+\.ts)/gm).sort()).toEqual(files.sort())
  })
})
