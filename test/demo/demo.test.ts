import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { claimDataFolder } from '../../src/store/data-folder.ts'

const MAIN = fileURLToPath(new URL('../../src/demo/main.ts', import.meta.url))

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function runDemo(args: readonly string[], cwd = process.cwd()): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err += text
  })
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })))
}

describe('the demo', () => {
  let ended: Ended
  beforeAll(async () => {
    ended = await runDemo(['--once'])
  })

  it('ends well, and its last line says that the log verifies', () => {
    expect(ended).toMatchObject({ code: 0, err: '' })
    expect(ended.out.trimEnd().split('\n').at(-1)).toMatch(/The log verifies: all \d+ leaves/)
  })

  it.each([
    ['refuses an action without consent', '403 consent_required'],
    ['refuses what is beyond the limit', '403 budget_exceeded'],
    ['waits for a yes above the ask-first amount', '202 approval_required'],
    ['does not let an agent approve for itself', '403 wrong_caller'],
    ['leaves in doubt what a skill died over', '202 in_doubt'],
    ['keeps the money held meanwhile', 'held CN¥80.00 · spent CN¥0.00'],
    ['settles it', 'held CN¥0.00 · spent CN¥80.00'],
    ['refuses what a web page wanted', '403 constraint_violated'],
    ['shows the consent in both languages', '请求使用'],
  ])('%s', (_name, told) => {
    expect(ended.out).toContain(told)
  })

  it('writes plain text where there is no terminal', () => {
    expect(ended.out).not.toContain('\u001b')
  })

  it('leaves no keys or data behind, and the broker’s log where it said', () => {
    const [, data, log] = /Data in (\S+), the broker's log in (\S+)\./.exec(ended.out) ?? []
    expect([existsSync(data ?? '/'), existsSync(log ?? '')]).toEqual([false, true])
  })

  it('ends with 1 and says why when a kept folder belongs to another process', async () => {
    const home = mkdtempSync(join(tmpdir(), 'countersign-demo-test-'))
    const claim = claimDataFolder(join(home, 'data'), 0)
    try {
      const { code, out } = await runDemo(['--once', '--keep'], home)
      expect(code).toBe(1)
      expect(out).toContain(`is in use by process ${process.pid}`)
      expect(out).not.toContain('The log verifies')
    } finally {
      claim.release()
      rmSync(home, { recursive: true, force: true })
    }
  })

  it('tells how it is used when it is asked for something else', async () => {
    const { code, err } = await runDemo(['--forever'])
    expect([code, err.split('\n')[0]]).toEqual([2, 'npm run demo [-- --once] [-- --keep]'])
  })
})
