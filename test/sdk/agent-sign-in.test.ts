import { describe, expect, it } from 'vitest'
import { createAgentClient } from '../../src/sdk/agent-client.ts'
import { agentTokens, memoryTokenStore, type TokenStore } from '../../src/sdk/agent-tokens.ts'
import { type DeviceSignInOptions, startDeviceSignIn } from '../../src/sdk/device-sign-in.ts'
import { createDpopKey, importDpopKey } from '../../src/sdk/dpop-key.ts'
import { noPause } from '../support/agent-world.ts'
import { type OauthWorld, openOauthWorld, untilNextSecond } from '../support/oauth-world.ts'

const MINUTE_MS = 60_000

/** Connects as a program without a browser does, with a person who answers `answer` on another device. */
async function signIn(world: OauthWorld, about: Partial<DeviceSignInOptions> = {}, answer = 'yes') {
  const { browser } = await world.signIn({ isSteppedUp: true })
  const started = await startDeviceSignIn({
    broker: world.url,
    clientName: 'Errand runner',
    pause: noPause,
    ...about,
  })
  if (!started.ok) throw new Error(started.fault.code)
  const { userCode, verificationUri } = started.value
  expect(verificationUri).toBe(`${world.url}/device`)
  const question = await browser.submit(await browser.open(verificationUri), { user_code: userCode })
  const seen = await browser.submit(question, { user_code: userCode, answer }, '/device')
  return { started: started.value, seen, tokens: await started.value.wait() }
}

/** A store that counts what is saved, as a file would be written. */
function countingStore(initial: Parameters<typeof memoryTokenStore>[0]): TokenStore & { saves: number } {
  const inner = memoryTokenStore(initial)
  const store = {
    saves: 0,
    load: inner.load,
    async save(tokens: Parameters<TokenStore['save']>[0]) {
      store.saves += 1
      await inner.save(tokens)
    },
  }
  return store
}

describe('the device flow of the SDK', () => {
  it('connects an agent, which then calls and refreshes by itself', async () => {
    const world = await openOauthWorld()
    const { tokens } = await signIn(world)
    if (!tokens.ok) throw new Error(tokens.fault.code)
    const store = countingStore(tokens.value)
    const credential = agentTokens({ broker: world.url, store })
    const client = createAgentClient({ broker: world.url, credential })
    expect(await client.authority()).toMatchObject({ ok: true, value: { grants: [] } })
    expect(store.saves).toBe(0)

    // Another run finds an old token in the store; several calls at once refresh it once.
    const old = countingStore({ ...tokens.value, expiresAtMs: Date.now() + MINUTE_MS / 2 })
    const later = createAgentClient({
      broker: world.url,
      credential: agentTokens({ broker: world.url, store: old }),
    })
    const answers = await Promise.all([later.authority(), later.tools(), later.skills()])
    expect([answers.map(({ ok }) => ok), old.saves]).toEqual([[true, true, true], 1])
    expect((await old.load())?.refreshToken).not.toBe(tokens.value.refreshToken)
  })

  it('tells an agent that its user said no', async () => {
    const world = await openOauthWorld()
    const { tokens } = await signIn(world, {}, 'no')
    expect(tokens).toMatchObject({ ok: false, fault: { code: 'access_denied' } })
  })

  it('ends by the caller’s signal', async () => {
    const world = await openOauthWorld()
    const started = await startDeviceSignIn({ broker: world.url, clientName: 'Errand runner' })
    if (!started.ok) throw new Error(started.fault.code)
    const ended = await started.value.wait({ signal: AbortSignal.timeout(50) })
    expect(ended).toMatchObject({ ok: false, fault: { code: 'aborted' } })
  })

  it('binds tokens to a key, without which they are worth nothing', async () => {
    const world = await openOauthWorld()
    const key = createDpopKey()
    const dpop = importDpopKey(key.exportPrivate())
    const { tokens } = await signIn(world, { dpop })
    if (!tokens.ok) throw new Error(tokens.fault.code)
    await untilNextSecond()
    const store = memoryTokenStore(tokens.value)
    const bound = createAgentClient({
      broker: world.url,
      credential: agentTokens({ broker: world.url, store, dpop }),
    })
    expect(await bound.tools({ skill: 'coffee.order' })).toMatchObject({ ok: true })
    expect(await bound.authority()).toMatchObject({ ok: true })

    const thief = memoryTokenStore({ ...tokens.value, refreshToken: null })
    const stolen = createAgentClient({
      broker: world.url,
      credential: agentTokens({ broker: world.url, store: thief }),
    })
    expect(await stolen.authority()).toMatchObject({
      ok: false,
      fault: { status: 401, code: 'proof_invalid' },
    })
    const other = createAgentClient({
      broker: world.url,
      credential: agentTokens({ broker: world.url, store: thief, dpop: createDpopKey() }),
    })
    expect(await other.authority()).toMatchObject({ ok: false, fault: { status: 401 } })
  })

  it('forgets tokens that the broker takes no longer', async () => {
    const world = await openOauthWorld()
    const { tokens } = await signIn(world)
    if (!tokens.ok) throw new Error(tokens.fault.code)
    const spent = { ...tokens.value, refreshToken: 'spent', expiresAtMs: Date.now() - 1 }
    const store = countingStore(spent)
    const client = createAgentClient({
      broker: world.url,
      credential: agentTokens({ broker: world.url, store }),
    })
    const answer = await client.authority()
    expect(answer).toMatchObject({ ok: false, fault: { code: 'signed_out' } })
    expect([await store.load(), store.saves]).toEqual([undefined, 1])
    expect(JSON.stringify(answer)).not.toContain(spent.accessToken)
  })
})
