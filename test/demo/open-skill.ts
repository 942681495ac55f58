import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import type { SampleSkillName } from '../../src/demo/skills/sample-skill.ts'
import { type RunningSkill, type SkillOptions, startSkill } from '../../src/demo/skills/start-skill.ts'
import { createTestSigner } from '../support/test-broker-keys.ts'
import { createSkillClient, ISSUER, NOW_MS, type SkillClient, type SkillRequest } from './skill-client.ts'

/** The broker whose calls the skills of a test file carry out. */
export const { signer } = createTestSigner()

/** The time for broker and skills; set anew whenever a skill is opened. */
export const clock = { nowMs: NOW_MS }

const closers = new Set<() => unknown>()
afterEach(async () => {
  for (const close of [...closers].reverse()) await close()
  closers.clear()
})

/** Has this done when the test has ended, last one first. */
export function closeLater(close: () => unknown): void {
  closers.add(close)
}

export interface OpenSkill {
  readonly skill: RunningSkill
  readonly client: SkillClient
  /** Stops the skill before the test ends. */
  close(): Promise<void>
}

/** Starts a sample skill on a free port until the test ends. */
export async function openSkill(
  name: SampleSkillName,
  options: Partial<SkillOptions> = {},
): Promise<OpenSkill> {
  clock.nowMs = NOW_MS
  const skill = await startSkill({
    name,
    broker: { issuer: ISSUER, keys: signer.jwks() },
    now: () => clock.nowMs,
    ...options,
  })
  const stop = () => skill.stop()
  closeLater(stop)
  return {
    skill,
    client: createSkillClient(signer, skill.manifest, () => clock.nowMs),
    async close() {
      closers.delete(stop)
      await stop()
    },
  }
}

/** A path in a folder of its own that is removed with everything in it. */
export function tempFile(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-skill-'))
  closeLater(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, name)
}

export async function codeOf(answer: Response): Promise<[status: number, code: unknown]> {
  return [answer.status, JSON.parse(await answer.text()).code]
}

export const ACCOUNT = { from_account: 'acc_main', currency: 'CNY' }

/** A transfer to a payee everybody has. */
export function transfer(amount: string, more: Partial<SkillRequest> = {}): SkillRequest {
  return { action: 'transfer', args: { ...ACCOUNT, payee_id: 'lin', amount }, ...more }
}

export function balanceOf(client: SkillClient) {
  return client.result({ action: 'get_balance', args: { from_account: 'acc_main' } })
}
