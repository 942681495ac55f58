import { readFileSync, writeFileSync } from 'node:fs'
import { serve } from '@hono/node-server'
import { describe, expect, it } from 'vitest'
import { startSkillProcess } from '../../src/demo/skills/start-skill-process.ts'
import { generatePublisherKey } from '../../src/keys/publisher-key-file.ts'
import { balanceOf, closeLater, openSkill, signer, tempFile, transfer } from './open-skill.ts'
import { createSkillClient, ISSUER } from './skill-client.ts'

describe('the journal', () => {
  it('brings back what was done and what was answered', async () => {
    const journalFile = tempFile('pay.jsonl')
    const runtimeKey = await generatePublisherKey()
    const before = await openSkill('pay.transfer', { journalFile, runtimeKey })
    const first = await before.client.result(transfer('10.00', { key: 'k', executionId: 'exe_1' }))
    await before.close()

    const after = await openSkill('pay.transfer', { journalFile, runtimeKey })
    expect(await balanceOf(after.client)).toMatchObject({ balance: '4990.00' })
    expect(await after.client.result(transfer('10.00', { key: 'k', executionId: 'exe_1' }))).toEqual(first)
    expect(await balanceOf(after.client)).toMatchObject({ balance: '4990.00' })
  })

  it('leaves out a line that was cut in the middle and goes on after it', async () => {
    const journalFile = tempFile('pay.jsonl')
    const first = await openSkill('pay.transfer', { journalFile })
    await first.client.result(transfer('10.00'))
    await first.client.result(transfer('20.00'))
    await first.close()
    const text = readFileSync(journalFile, 'utf8')
    writeFileSync(journalFile, text.slice(0, -30))

    const second = await openSkill('pay.transfer', { journalFile })
    expect(await balanceOf(second.client)).toMatchObject({ balance: '4990.00' })
    await second.client.result(transfer('5.00'))
    const lines = readFileSync(journalFile, 'utf8').trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line).action)).toContain('transfer')
    await second.close()
    const third = await openSkill('pay.transfer', { journalFile })
    expect(await balanceOf(third.client)).toMatchObject({ balance: '4985.00' })
  })

  it('survives a kill -9 between the work and the answer', async () => {
    const server = serve({ fetch: () => Response.json(signer.jwks()), port: 0, hostname: '127.0.0.1' })
    closeLater(() => server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('not listening')
    const options = {
      name: 'pay.transfer',
      issuer: ISSUER,
      keysUrl: `http://127.0.0.1:${address.port}/`,
      runtimeKey: await generatePublisherKey(),
      journalFile: tempFile('pay.jsonl'),
    } as const
    const { skill } = await openSkill('pay.transfer', { runtimeKey: options.runtimeKey })
    const clientAt = (baseUrl: string) =>
      createSkillClient(signer, { ...skill.manifest, endpoint: { transport: 'http', baseUrl } }, Date.now)

    const first = await startSkillProcess({ ...options, port: 0 })
    closeLater(() => first.kill())
    await first.set({ dieOn: { action: 'transfer', how: 'process', when: 'after' } })
    const request = transfer('80.00', { key: 'k', executionId: 'exe_1' })
    await expect(clientAt(first.baseUrl).call(request)).rejects.toThrow()
    expect(await first.ended()).toBe('SIGKILL')

    const port = Number(new URL(first.baseUrl).port)
    const second = await startSkillProcess({ ...options, port })
    closeLater(() => second.kill())
    const status = await clientAt(second.baseUrl).result({
      action: 'get_payment',
      args: { execution_id: 'exe_1' },
      kind: 'status',
      executionId: 'exe_1',
    })
    expect(status).toMatchObject({ state: 'succeeded' })
    expect(await balanceOf(clientAt(second.baseUrl))).toMatchObject({ balance: '4920.00' })
  })
})
