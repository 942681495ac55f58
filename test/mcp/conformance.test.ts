import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { openConformanceMount } from './conformance-mount.ts'

const reasons = z.record(z.string(), z.string().min(20))
/** What does not pass, and why. Anything else that fails is a fault, and so is anything here that passes. */
const EXPECTED_FAILURES = z
  .record(z.string(), reasons)
  .parse(JSON.parse(readFileSync(new URL('conformance-expectations.json', import.meta.url), 'utf8')))

/** Of those the requirements list, what a broker whose tools come from skills has to pass (2025-11-25). */
const MATTER = [
  'server-initialize',
  'ping',
  'tools-list',
  'server-session-lifecycle',
  'server-sse-multiple-streams',
  'dns-rebinding-protection',
  'logging-set-level',
  'tools-call-simple-text',
  'tools-call-image',
  'tools-call-audio',
  'tools-call-embedded-resource',
  'tools-call-mixed-content',
  'tools-call-error',
  'tools-call-with-progress',
  'tools-call-with-logging',
]

const SUITE = fileURLToPath(import.meta.resolve('@modelcontextprotocol/conformance/dist/index.js'))
const checksShape = z.array(z.looseObject({ id: z.string(), status: z.string() }))

let mount: Awaited<ReturnType<typeof openConformanceMount>>
let folder: string
beforeAll(async () => {
  mount = await openConformanceMount()
  folder = mkdtempSync(join(tmpdir(), 'countersign-conformance-'))
})
afterAll(async () => {
  await mount.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Runs the suite's command and reads what it wrote: its exit code says only that something failed. */
async function run(revision: string): Promise<{ passed: string[]; failed: string[] }> {
  const out = join(folder, revision)
  const args = ['server', '--url', mount.url, '--requirements', revision, '-o', out, '--timeout', '15000']
  await new Promise<void>((resolve, reject) => {
    const child = spawn(process.execPath, [SUITE, ...args], { stdio: 'ignore' })
    child.on('error', reject)
    child.on('close', () => resolve())
  })
  const passed: string[] = []
  const failed: string[] = []
  for (const name of readdirSync(out)) {
    const scenario = /^server-(.+)-\d{4}-\d\d-\d\dT/.exec(name)?.[1]
    if (scenario === undefined) continue
    const checks = checksShape.parse(JSON.parse(readFileSync(join(out, name, 'checks.json'), 'utf8')))
    const isFailed = checks.length === 0 || checks.some(({ status }) => status === 'FAILURE')
    ;(isFailed ? failed : passed).push(scenario)
  }
  return { passed: passed.sort(), failed: failed.sort() }
}

describe('the conformance suite of the protocol', () => {
  it('passes for 2025-11-25 but for what is listed with its reason', { timeout: 180_000 }, async () => {
    const { passed, failed } = await run('2025-11-25')
    expect(failed).toEqual(Object.keys(EXPECTED_FAILURES['2025-11-25'] ?? {}).sort())
    expect(passed).toEqual(expect.arrayContaining(MATTER))
  })

  it('passes for 2026-07-28 but for what is listed with its reason', { timeout: 180_000 }, async () => {
    const { passed, failed } = await run('2026-07-28')
    expect(failed).toEqual(Object.keys(EXPECTED_FAILURES['2026-07-28'] ?? {}).sort())
    expect(passed.length).toBeGreaterThanOrEqual(15)
  })
})
