import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { finishLinking, type LinkAnswer, startLinking } from '../../src/broker/link-account.ts'
import { listLinked } from '../../src/broker/list-linked.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { openText } from '../../src/broker/seal-text.ts'
import { unlinkAccount, unlinkEverything } from '../../src/broker/unlink-account.ts'
import { urlOf } from '../../src/core/manifest/endpoint.ts'
import type { Manifest } from '../../src/core/manifest/manifest.ts'
import type { SkillCaller } from '../../src/ports/skill-caller.ts'
import { openHttpSkillCaller } from '../../src/skills/http-skill.ts'
import { answered } from '../support/fake-skill.ts'
import { type Granted, grantAll } from '../support/granted-agent.ts'
import { type LinkServer, startLinkServer } from '../support/link-server.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestBroker, registerSkill, type TestBroker } from '../support/test-broker.ts'

const SESSION = 'ses_browser'
let test: TestBroker
let server: LinkServer
let caller: SkillCaller
let alice: Granted
let manifest: Manifest

const linksAt = (origin: string, about = {}): NonNullable<Manifest['links']> => [
  {
    id: 'wallet',
    means: 'payment',
    title: { en: 'Your wallet', zh: '您的钱包' },
    issuer: origin,
    authorizationEndpoint: `${origin}/authorize?ui=1`,
    tokenEndpoint: `${origin}/token`,
    revocationEndpoint: `${origin}/revoke`,
    scopes: ['balance', 'pay'],
    fills: ['/from_account'],
    ...about,
  },
]

beforeEach(async () => {
  test = await createTestBroker()
  server = await startLinkServer()
  caller = openHttpSkillCaller({ devOrigins: [server.origin] })
  // Calls to the authorization server go out for real; what the skill itself would say is scripted.
  const scripted = test.skill.call
  test.broker.skills = {
    ...test.skill,
    call: (call) => (call.endpoint.startsWith(server.origin) ? caller.call(call) : scripted(call)),
  }
  test.skill.replyAlways(answered({ balance: '12.34' }))
  test.linkClients.set('pay.transfer wallet', server)
  manifest = { ...sampleManifest('pay.transfer'), links: linksAt(server.origin) }
  alice = await grantAll(test.broker, manifest)
})
afterEach(async () => {
  await caller.close()
  await server.close()
  await test.close()
})

const start = (about = {}) =>
  startLinking(test.broker, {
    userId: alice.userId,
    sessionId: SESSION,
    skillId: 'pay.transfer',
    link: 'wallet',
    ...about,
  })
async function begin(): Promise<string> {
  const started = await start()
  if (started.kind !== 'started') throw new Error(started.kind)
  return started.url
}
const answerOf = (url: URL): LinkAnswer => ({
  state: url.searchParams.get('state') ?? undefined,
  code: url.searchParams.get('code') ?? undefined,
  error: url.searchParams.get('error') ?? undefined,
  iss: url.searchParams.get('iss') ?? undefined,
})
const finish = (answer: LinkAnswer, about = {}) =>
  finishLinking(test.broker, { userId: alice.userId, sessionId: SESSION, ...answer, ...about })
async function linkIt() {
  const done = await finish(answerOf(server.authorize(await begin())))
  if (done.kind !== 'linked') throw new Error(done.kind)
  return done.account
}
const balance = () => performAction(test.broker, alice.ask('get_balance', {}))
const sentAccounts = () => test.skill.bodies().map((body) => (body as { from_account: string }).from_account)
const rowOf = (id: string) => test.broker.store.read(async (tx) => tx.linkedAccounts.find(id))

describe('linking an account', () => {
  it('goes by the code flow with PKCE, and keeps the tokens sealed', async () => {
    const url = new URL(await begin())
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      ui: '1',
      response_type: 'code',
      client_id: 'countersign',
      redirect_uri: 'https://broker.example/linked/callback',
      scope: 'balance pay',
      code_challenge_method: 'S256',
    })
    const done = await finish(answerOf(server.authorize(url.href)))
    if (done.kind !== 'linked') throw new Error(done.kind)
    expect(server.asked[0]?.get('redirect_uri')).toBe('https://broker.example/linked/callback')
    const row = await rowOf(done.account.id)
    expect(row?.tokens).not.toMatch(/at\.|rt\./)
    expect(await openText(test.broker, row?.tokens ?? '')).toContain('at.')
    expect(await test.lastLeaf('account')).toMatchObject({ outcome: 'linked', reason: 'by_user' })
    const [view] = await listLinked(test.broker, { userId: alice.userId })
    expect(view).toMatchObject({
      link: 'wallet',
      means: 'payment',
      account: { status: 'linked' },
      isConfigured: true,
    })
    expect(JSON.stringify(view)).not.toMatch(/at\.|rt\./)
  })

  it('refuses an answer nobody began, one used before, and one that came too late', async () => {
    const back = answerOf(server.authorize(await begin()))
    expect(await finish({ ...back, state: 'x'.repeat(43) })).toEqual({ kind: 'attempt_unknown' })
    expect(await finish({ ...back, state: undefined })).toEqual({ kind: 'attempt_unknown' })
    expect((await finish(back)).kind).toBe('linked')
    expect(await finish(back)).toEqual({ kind: 'attempt_unknown' })
    await unlinkEverything(test.broker, alice.userId)
    const late = answerOf(server.authorize(await begin()))
    test.clock.advance(600_000)
    expect(await finish(late)).toEqual({ kind: 'attempt_unknown' })
    expect(server.asked).toHaveLength(1)
  })

  it('refuses an answer in another session or of another user, and uses it up', async () => {
    const back = answerOf(server.authorize(await begin()))
    expect(await finish(back, { sessionId: 'ses_other' })).toEqual({ kind: 'attempt_unknown' })
    expect(await finish(back)).toEqual({ kind: 'attempt_unknown' })
    const again = answerOf(server.authorize(await begin()))
    expect(await finish(again, { userId: test.broker.newId('user') })).toEqual({ kind: 'attempt_unknown' })
    expect(server.asked).toEqual([])
  })

  it.each([[undefined], ['https://evil.example'], ['']])(
    'refuses an answer of issuer %s (RFC 9207)',
    async (iss) => {
      const back = answerOf(server.authorize(await begin()))
      expect(await finish({ ...back, iss })).toEqual({ kind: 'issuer_differs' })
      expect(server.asked).toEqual([])
    },
  )

  it('refuses a code of another attempt: its verifier does not fit', async () => {
    const mine = answerOf(server.authorize(await begin()))
    const theirs = answerOf(server.authorize(await begin()))
    expect(await finish({ ...mine, code: theirs.code })).toEqual({ kind: 'refused' })
  })

  it('takes a no for a no', async () => {
    const back = answerOf(server.authorize(await begin()))
    expect(await finish({ ...back, code: undefined, error: 'access_denied' })).toEqual({ kind: 'refused' })
  })

  it.each([
    [{ status: 200, body: { access_token: 'a b', token_type: 'Bearer' } }, 'refused'],
    [{ status: 200, body: { access_token: 'a\r\nx: y', token_type: 'Bearer' } }, 'refused'],
    [{ status: 200, body: { access_token: 'x', token_type: 'mac' } }, 'refused'],
    [{ status: 200, body: [] }, 'refused'],
    [{ status: 500, body: {} }, 'unavailable'],
    [{ status: 302, body: {} }, 'unavailable'],
  ])('keeps nothing of a token answer %j', async (answer, kind) => {
    const back = answerOf(server.authorize(await begin()))
    server.answerNext(answer)
    expect((await finish(back)).kind).toBe(kind)
    expect(await listLinked(test.broker, { userId: alice.userId })).toMatchObject([{ account: null }])
  })

  it('is not begun where there is nothing to link, nobody registered us, or it is linked', async () => {
    expect(await start({ skillId: 'no.skill' })).toEqual({ kind: 'not_found' })
    expect(await start({ link: 'other' })).toEqual({ kind: 'not_found' })
    await linkIt()
    expect(await start()).toEqual({ kind: 'already_linked' })
    test.linkClients.clear()
    expect(await start()).toEqual({ kind: 'not_configured' })
  })

  it('is begun only so often at once', async () => {
    for (let i = 0; i < 10; i++) await begin()
    expect(await start()).toEqual({ kind: 'too_many_attempts' })
    test.clock.advance(600_000)
    expect((await start()).kind).toBe('started')
  })

  it('calls no authorization server inside the network', async () => {
    const links = linksAt(server.origin, { tokenEndpoint: 'https://169.254.169.254/token' })
    await registerSkill(test.broker, { ...manifest, version: 2, links })
    const back = answerOf(server.authorize(await begin()))
    test.broker.skills = { ...test.skill, call: caller.call }
    expect(await finish(back)).toEqual({ kind: 'unavailable' })
  })
})

describe('an action that fills an account', () => {
  it('is refused until the user has linked it, with a path to where they do', async () => {
    expect(await balance()).toMatchObject({
      kind: 'denied',
      refusal: { code: 'account_not_linked', skill: 'pay.transfer', link: 'wallet' },
    })
    expect(test.skill.calls).toEqual([])
    await linkIt()
    expect((await balance()).kind).toBe('done')
  })

  it('says nothing of accounts to an agent without a grant', async () => {
    const stranger = await grantAll(test.broker, manifest, {}, { userId: alice.userId })
    await test.broker.store.transaction(async (tx) =>
      tx.grants.update({ ...stranger.grant, status: 'revoked', revision: 2 }),
    )
    expect(await performAction(test.broker, stranger.ask('get_balance', {}))).toMatchObject({
      refusal: { code: 'consent_required' },
    })
  })

  it('sends the token to the skill, and to nobody else', async () => {
    await linkIt()
    const done = await balance()
    expect(sentAccounts().every((token) => server.accepts(token))).toBe(true)
    expect(
      test.skill.calls.every(({ endpoint }) => endpoint.startsWith(urlOf(manifest.endpoint) ?? '?')),
    ).toBe(true)
    expect(JSON.stringify(done)).not.toMatch(/at\./)
    const leaf = await test.lastLeaf('decision')
    const parts = await Promise.all(leaf.parts.map((part) => test.openPart(leaf.eventId, part)))
    expect(JSON.stringify(parts)).not.toMatch(/at\./)
  })

  it('keeps an agent from sending an account of its own', async () => {
    await linkIt()
    const asked = alice.ask('get_balance', { from_account: 'at.stolen' })
    expect((await performAction(test.broker, asked)).kind).toBe('invalid')
  })

  it('uses only what its own user linked', async () => {
    await linkIt()
    const bob = await grantAll(test.broker, manifest)
    expect(await performAction(test.broker, bob.ask('get_balance', {}))).toMatchObject({
      refusal: { code: 'account_not_linked' },
    })
  })

  it('renews a token that is about to end, once, and destroys the old one', async () => {
    const { id, tokens } = await linkIt()
    await balance()
    test.clock.advance(3_541_000)
    await Promise.all([balance(), balance()])
    expect(server.asked.filter((form) => form.get('grant_type') === 'refresh_token')).toHaveLength(1)
    expect(new Set(sentAccounts()).size).toBe(2)
    expect((await rowOf(id))?.status).toBe('linked')
    expect(await openText(test.broker, tokens)).toBeUndefined()
  })

  it('asks the user to link anew when the skill honours it no more', async () => {
    const { id } = await linkIt()
    server.forgetEverything()
    test.clock.advance(3_600_000)
    expect(await balance()).toMatchObject({ refusal: { code: 'account_not_linked' } })
    expect((await rowOf(id))?.status).toBe('broken')
    expect(await balance()).toMatchObject({ refusal: { code: 'account_not_linked' } })
    await linkIt()
    expect((await balance()).kind).toBe('done')
  })

  it('is refused for now when the token cannot be renewed now', async () => {
    await linkIt()
    test.clock.advance(3_600_000)
    server.answerNext({ status: 503, body: {} })
    expect(await balance()).toMatchObject({ refusal: { code: 'account_unavailable' } })
    expect((await balance()).kind).toBe('done')
  })

  it('gives a token to no other place a new version names', async () => {
    await linkIt()
    const elsewhere = { transport: 'http', baseUrl: 'https://other.example' } as const
    const moved = { ...manifest, version: 2, endpoint: elsewhere }
    const bob = await grantAll(test.broker, moved, {}, { userId: alice.userId })
    expect(await performAction(test.broker, bob.ask('get_balance', {}))).toMatchObject({
      refusal: { code: 'account_not_linked' },
    })
    const titled = linksAt(server.origin, { title: { en: 'Wallet', zh: '钱包' } })
    const same = await grantAll(
      test.broker,
      { ...manifest, version: 3, links: titled },
      {},
      { userId: alice.userId },
    )
    expect((await performAction(test.broker, same.ask('get_balance', {}))).kind).toBe('done')
  })
})

describe('unlinking', () => {
  it('ends it at once, destroys the tokens and tells the skill', async () => {
    const account = await linkIt()
    expect(await unlinkAccount(test.broker, { userId: alice.userId, accountId: account.id })).toMatchObject({
      kind: 'unlinked',
      revokedAtSkill: true,
    })
    expect(server.revoked).toEqual([expect.stringMatching(/^rt\./)])
    expect(await openText(test.broker, account.tokens)).toBeUndefined()
    expect(await rowOf(account.id)).toBeUndefined()
    expect(await balance()).toMatchObject({ refusal: { code: 'account_not_linked' } })
    expect(await test.lastLeaf('account')).toMatchObject({ outcome: 'unlinked' })
  })

  it('is for the user alone, and once', async () => {
    const { id: accountId } = await linkIt()
    const stranger = test.broker.newId('user')
    expect(await unlinkAccount(test.broker, { userId: stranger, accountId })).toEqual({ kind: 'not_found' })
    await unlinkAccount(test.broker, { userId: alice.userId, accountId })
    expect(await unlinkAccount(test.broker, { userId: alice.userId, accountId })).toEqual({
      kind: 'not_found',
    })
  })

  it('is done although the skill cannot be told', async () => {
    const account = await linkIt()
    await server.close()
    expect(await unlinkAccount(test.broker, { userId: alice.userId, accountId: account.id })).toMatchObject({
      kind: 'unlinked',
      revokedAtSkill: false,
    })
    expect(await openText(test.broker, account.tokens)).toBeUndefined()
    server = await startLinkServer()
  })
})

describe('a skill without accounts', () => {
  it('gets the pairwise id alone', async () => {
    const { links: _, ...plain } = manifest
    const bob = await grantAll(test.broker, { ...plain, version: 2 })
    expect((await performAction(test.broker, bob.ask('get_balance', {}))).kind).toBe('done')
    expect(sentAccounts()).toEqual([test.broker.pseudonyms.pairwiseUser(bob.userId, plain.publisher)])
  })
})
