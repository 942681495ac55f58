import { describe, expect, it } from 'vitest'
import { browseSkill } from '../../src/demo/skills/browse.ts'
import { coffeeSkill } from '../../src/demo/skills/coffee.ts'
import { paySkill } from '../../src/demo/skills/pay.ts'
import { generatePublisherKey, publicHalfOf } from '../../src/keys/publisher-key-file.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestSigner } from '../support/test-broker-keys.ts'
import { balanceOf, clock, codeOf, openSkill, transfer } from './open-skill.ts'
import { createSkillClient } from './skill-client.ts'

it.each([coffeeSkill, paySkill, browseSkill])(
  '$skill carries out every action of its manifest',
  (definition) => {
    const declared = sampleManifest(definition.skill).actions.map(({ name }) => name)
    expect(Object.keys(definition.handlers).sort()).toEqual(declared.sort())
  },
)

describe.each(['coffee.order', 'pay.transfer', 'web.browse'] as const)('the sample skill %s', (name) => {
  it('answers every action of its manifest only to calls the broker signed', async () => {
    const { skill } = await openSkill(name)
    for (const action of skill.manifest.actions) {
      const answer = await fetch(skill.baseUrl + action.path, { method: 'POST', body: '{}' })
      expect([action.name, answer.status, await answer.json()]).toEqual([
        action.name,
        401,
        { error: { code: 'token_missing' } },
      ])
    }
    expect(skill.calls).toEqual([])
  })

  it('shows its own address and runtime key in its manifest', async () => {
    const runtimeKey = await generatePublisherKey()
    const { skill } = await openSkill(name, { runtimeKey })
    expect(skill.manifest.endpoint).toEqual({ transport: 'http', baseUrl: skill.baseUrl })
    expect(skill.manifest.runtimeKeys).toEqual([publicHalfOf(runtimeKey)])
  })
})

describe('a sample skill refuses', () => {
  it('a call that was carried out already, byte for byte', async () => {
    const { client } = await openSkill('pay.transfer')
    const call = await client.prepare(transfer('10.00'))
    expect((await client.send(call)).status).toBe(200)
    const again = await client.send(call)
    expect([again.status, await again.json()]).toEqual([401, { error: { code: 'replayed' } }])
    expect(await balanceOf(client)).toMatchObject({ balance: '4990.00' })
  })

  it('a call signed by another broker', async () => {
    const { skill } = await openSkill('pay.transfer')
    const stranger = createSkillClient(createTestSigner().signer, skill.manifest, () => clock.nowMs)
    expect((await stranger.call(transfer('10.00'))).status).toBe(401)
  })

  it('arguments its manifest does not know', async () => {
    const { client } = await openSkill('pay.transfer')
    const request = { ...transfer('10.00'), args: { ...transfer('10.00').args, tip: '1.00' } }
    expect(await codeOf(await client.call(request))).toEqual([400, 'arguments_refused'])
  })

  it('an amount that is not the one in the token', async () => {
    const { client } = await openSkill('pay.transfer')
    const answer = await client.call(transfer('10.00', { amountMinor: 1 }))
    expect(await codeOf(answer)).toEqual([400, 'amount_not_permitted'])
    expect(await balanceOf(client)).toMatchObject({ balance: '5000.00' })
  })

  it('an old key with other bytes', async () => {
    const { client } = await openSkill('pay.transfer')
    await client.result(transfer('10.00', { key: 'k' }))
    expect(await codeOf(await client.call(transfer('11.00', { key: 'k' })))).toEqual([409, 'key_reused'])
  })
})

describe('switches', () => {
  it('make a skill take more than was agreed, and say so', async () => {
    const { skill, client } = await openSkill('pay.transfer')
    skill.set({ overcharge: { action: 'transfer', byMinor: 500 } })
    expect(await client.result(transfer('10.00'))).toMatchObject({ charged_amount: '15.00' })
  })

  it('make a skill refuse, remembered under its key', async () => {
    const { skill, client } = await openSkill('pay.transfer')
    skill.set({ refuse: { action: 'transfer', code: 'maintenance' } })
    expect(await codeOf(await client.call(transfer('10.00', { key: 'k' })))).toEqual([409, 'maintenance'])
    skill.set({})
    expect(await codeOf(await client.call(transfer('10.00', { key: 'k' })))).toEqual([409, 'maintenance'])
    expect(await balanceOf(client)).toMatchObject({ balance: '5000.00' })
  })

  it('make a skill slow, with the work done before the wait', async () => {
    const { skill, client } = await openSkill('pay.transfer')
    skill.set({ slow: { action: 'transfer', ms: 60_000 } })
    const call = await client.prepare(transfer('10.00'))
    const impatient = fetch(call.url, {
      method: 'POST',
      body: call.body,
      headers: { authorization: `Bearer ${call.token}` },
      signal: AbortSignal.timeout(200),
    })
    await expect(impatient).rejects.toThrow()
    expect(await balanceOf(client)).toMatchObject({ balance: '4990.00' })
  })
})
