import { describe, expect, it } from 'vitest'
import { checkArguments } from '../../src/core/decision/check-arguments.ts'
import { loadManifest } from '../../src/core/manifest/loaded-manifest.ts'
import { mapTool } from '../../src/guard/coding-tools.ts'
import { localPath, staysBelow } from '../../src/guard/local-path.ts'
import { sampleManifest } from '../support/sample-manifest.ts'

const OPTIONS = { workspace: '/home/li/shop', listed: new Set(['npm test']) }
const loaded = loadManifest('digest', sampleManifest('coding.local'))
const map = (tool: string, args: unknown) => mapTool(tool, args, OPTIONS)

function called(tool: string, args: unknown) {
  const mapped = map(tool, args)
  if (mapped.kind === 'refused') throw new Error(mapped.reason)
  return mapped.call
}

describe('what a tool of Qwen Code does, in the words of the manifest', () => {
  it.each([
    ['read_file', { file_path: '/home/li/shop/a.ts', offset: 10, limit: null }, 'read_file'],
    ['list_directory', { path: '/home/li/shop', ignore: ['*.log'] }, 'search_files'],
    ['glob', { pattern: '**/*.ts', path: '/home/li/shop/' }, 'search_files'],
    [
      'grep_search',
      { pattern: 'TODO', glob: '!*.{ts,tsx}', path: '/home/li/shop', limit: 5 },
      'search_files',
    ],
    ['write_file', { file_path: '/home/li/shop/a.ts', content: 'export {}\r\n' }, 'write_file'],
    ['edit', { file_path: '/home/li/shop/a.ts', old_string: 'a', new_string: '' }, 'edit_file'],
    [
      'notebook_edit',
      { notebook_path: '/home/li/shop/a.ipynb', edit_mode: 'delete', cell_id: 'c1' },
      'edit_file',
    ],
    [
      'run_shell_command',
      { command: 'npm test', description: 'Runs the tests', directory: '/home/li/shop' },
      'run_listed_command',
    ],
    ['run_shell_command', { command: 'npm test ', directory: '/home/li/shop' }, 'run_command'],
    ['monitor', { command: 'tail -f log', max_events: 5, directory: '/home/li/shop' }, 'run_command'],
    ['web_fetch', { url: 'https://a.example/x', prompt: 'Sum it up' }, 'fetch_page'],
    ['web_search', { query: 'weather in Hangzhou' }, 'search_web'],
    ['mcp__files__delete', { path: '/etc' }, 'use_mcp_tool'],
    ['todo_write', { todos: [{ anything: true }] }, 'plan'],
  ])('%s %j is %s', (tool, args, action) => {
    const call = called(tool, args)
    expect(call.action).toBe(action)
    const declared = loaded.actions.get(call.action)
    if (!declared) throw new Error(`the manifest declares no ${call.action}`)
    expect(checkArguments(declared, call.arguments).faults).toEqual([])
  })

  it.each([
    ['agent', {}],
    ['save_memory', { fact: 'x' }],
    ['toString', {}],
    ['__proto__', {}],
    ['RUN_SHELL_COMMAND', { command: 'ls' }],
  ])('refuses %s, which it does not know', (tool, args) => {
    expect(map(tool, args).kind).toBe('refused')
  })

  it.each([
    ['run_shell_command', { command: 'ls', env: { PATH: '/tmp' } }],
    ['read_file', { file_path: '/home/li/shop/a', follow: true }],
    ['read_file', { file_path: ['/home/li/shop/a'] }],
    ['run_shell_command', {}],
    ['web_fetch', { url: 'https://a.example', prompt: 'x'.repeat(5_000) }],
    ['mcp__a__b', [1]],
  ])('refuses %s with arguments it does not understand', (tool, args) => {
    expect(map(tool, args).kind).toBe('refused')
  })

  it('binds a yes to every character of what is written, shown or not', () => {
    const long = 'a'.repeat(9_000)
    const first = called('write_file', { file_path: '/home/li/shop/a', content: `${long}1` }).arguments
    const second = called('write_file', { file_path: '/home/li/shop/a', content: `${long}2` }).arguments
    expect(first).toMatchObject({ isWhole: false, characters: 9_001 })
    expect(first.content).toBe(second.content)
    expect(first.digest).not.toBe(second.digest)
  })

  it('tells texts apart that were cut at another place', () => {
    const at = { file_path: '/home/li/shop/a' }
    const one = called('edit', { ...at, old_string: 'ab', new_string: 'c' }).arguments
    const two = called('edit', { ...at, old_string: 'a', new_string: 'bc' }).arguments
    expect(one.digest).not.toBe(two.digest)
  })

  it('binds a yes to a change to what goes, what comes, and where', () => {
    const edit = {
      file_path: '/home/li/shop/a',
      old_string: 'a'.repeat(9_000),
      new_string: 'b'.repeat(9_000),
    }
    const cell = { notebook_path: '/home/li/shop/a', new_source: 'x', cell_id: 'c1' }
    const digests = [
      called('edit', edit),
      called('edit', { ...edit, old_string: `${edit.old_string}a` }),
      called('edit', { ...edit, new_string: `${edit.new_string}b` }),
      called('edit', { ...edit, replace_all: true }),
      called('notebook_edit', cell),
      called('notebook_edit', { ...cell, cell_id: `c1${'0'.repeat(300)}` }),
      called('notebook_edit', { ...cell, cell_id: `c1${'0'.repeat(301)}` }),
      called('notebook_edit', { ...cell, edit_mode: 'delete' }),
    ].map((call) => call.arguments.digest)
    expect(new Set(digests).size).toBe(digests.length)
  })

  it('writes out what a person could not see', () => {
    const content = 'safe \u202e evil \u0000 end'
    const shown = called('write_file', { file_path: '/home/li/shop/a', content }).arguments.content
    expect(shown).toBe('safe ‹U+202E› evil ‹U+0000› end')
  })

  it('takes a listed command for itself only, whatever follows it', () => {
    for (const command of [
      'npm test; rm -rf /',
      'npm test && ls',
      'npm  test',
      'NPM TEST',
      ' npm test',
      'npm test\n',
    ]) {
      expect(called('run_shell_command', { command, directory: '/home/li/shop' }).action).toBe('run_command')
    }
  })
})

describe('the one spelling of a path', () => {
  it.each([
    ['/home/li/shop/', '/home/li/shop'],
    ['/etc/passwd', '/etc/passwd'],
    ['/', '/'],
    ['/..a/b..', '/..a/b..'],
  ])('of %j is %s', (text, path) => {
    expect(localPath(text)).toBe(path)
  })

  it.each([
    '',
    '.',
    '..',
    'src/a.ts',
    '../x',
    '/home/li/shop/../.ssh',
    '/home/li/shop/./a',
    '/home/li/shop/..',
    '/home//li',
    '//home/li',
    '/home/li//',
    '~/x',
    'C:\\Users',
    '/home/li/shop/..\\..\\x',
    '/home/li/a\u0000b',
    '/home/li/a\nb',
    'file:///etc/passwd',
  ])('is refused of %j', (text) => {
    expect(localPath(text)).toBeUndefined()
  })

  it.each([
    ['run_shell_command', { command: 'npm test' }],
    ['glob', { pattern: '**' }],
    ['grep_search', { pattern: 'x', path: '.' }],
    ['read_file', { file_path: 'a.ts' }],
  ])('is wanted of %s %j: only Qwen Code knows where it would run', (tool, args) => {
    expect(map(tool, args)).toEqual({ kind: 'refused', reason: expect.stringContaining('/home/li/shop') })
  })
})

describe('a pattern of files', () => {
  it.each([
    '../**',
    '**/../x',
    '/etc/*',
    '~/*',
    '{..,a}/x',
    '{.,}./x',
    '.{.,}/x',
    '{a,..}',
    '..{a,/x}',
    'a/{b,.{.,c}}/x',
    '{a,/etc}/x',
    '{/etc/passwd,a}',
    '{~,a}/x',
    '{a..c}',
    '{..}',
    '{a',
    'a}',
    'a\\b',
    '{a,b}'.repeat(12),
    '[.][.]/*.txt',
    '.[.]/*.txt',
    'src/[.-.][.]/[.].',
    'src/{[.],x}./*.txt',
    '@(..)/x',
    '.@(.)/x',
    '?(.)*(.)/x',
    ':/*.env',
    ':(top)**',
    ':^x',
  ])('that could climb is refused: %j', (pattern) => {
    expect(staysBelow(pattern)).toBe(false)
  })

  it.each([
    '**/*.ts',
    '*.{ts,tsx}',
    'src/**',
    '.github/*',
    'a..b',
    '*.{test,spec}.ts',
    '*.md',
    '{a,b/{c,d}}/*',
    '[a-z]*.ts',
    'app/[...slug]/page.tsx',
    'a:b',
    '-/+page.ts',
    '*.*',
    '.*',
    '**//x',
  ])('that stays below is taken: %j', (pattern) => {
    expect(staysBelow(pattern)).toBe(true)
  })
})
