import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deliverDueNotices } from '../../src/broker/deliver-notices.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { revokeAuthority } from '../../src/broker/revoke-authority.ts'
import { acknowledgement, DELETING, deletingSkill, jwt } from '../support/deletion-skill.ts'
import { type Granted, grantAll, order, SECRET } from '../support/granted-agent.ts'
import { pageFaults } from '../support/page-faults.ts'
import { createSkillKey } from '../support/skill-key.ts'
import { createTestPages, type TestPages } from '../support/test-pages.ts'

const EVIL = '"><img src=x onerror=alert(1)></script>'

let test: TestPages
let alice: Granted
let as: string
let operator: string
const key = createSkillKey()

beforeEach(async () => {
  test = await createTestPages()
  test.secrets.set('coffee.order /payment_token', SECRET)
  alice = await grantAll(test.broker, key.inManifest(DELETING))
  as = test.signIn({ id: alice.userId })
  operator = test.signIn({ kind: 'operator', id: 'opr_1', steppedUpAtMs: test.clock.nowMs() })
})
afterEach(() => test.close())

/** A coffee, a revocation, and what the skill says to the notice. */
async function told(changes: object): Promise<void> {
  test.skill.replyAlways(
    deletingSkill((call) => jwt(acknowledgement(key.key, call, test.broker.store.now().nowMs, changes))),
  )
  await performAction(test.broker, alice.ask('order_and_pay', order(100)))
  const { userId } = alice
  await revokeAuthority(test.broker, { userId, scope: { kind: 'grant', id: alice.grant.id } }, async () => [])
  await deliverDueNotices(test.broker, () => 0.5)
}

const visit = (path = '/me/deletions', lang = 'en') => test.visit(path, { as, cookies: { lang } })

describe('the page of what skills were told to delete', () => {
  it('says so when nothing was, and is linked from the first page', async () => {
    expect((await visit()).text).toContain('No skill was told anything yet')
    expect((await visit('/me')).text).toContain('href="/me/deletions"')
  })

  it('says what was asked, why, and what the skill said, in both languages', async () => {
    await told({ sts: 'deleted' })
    const { text } = await visit()
    for (const said of ['coffee.order', 'Deleted', 'You took back what you had allowed.', 'Receipt'])
      expect(text).toContain(said)
    expect((await visit('/me/deletions', 'zh')).text).toContain('已删除')
    expect(pageFaults(text)).toEqual([])
  })

  it('shows a refusal and that the skill stands still, on the page of the grant too', async () => {
    await told({ sts: 'refused', code: 'no', why: `Because ${EVIL}` })
    const { text } = await visit()
    expect(text).toContain('Refused')
    expect(text).toContain('does nothing new for you')
    expect(text).not.toContain('<img src=x')
    // What the agent runs on matters to no page here, and a page shows it in full.
    await test.broker.store.transaction(async (tx) => tx.agents.setDeployments(alice.agent.id, '[]'))
    const page = await visit(`/me/grants/${alice.grant.id}`)
    expect(page.text).toContain('does nothing new for you')
  })

  it('hands out the receipt of one’s own notices', async () => {
    await told({ sts: 'deleted' })
    const [, id = ''] = /\/me\/deletions\/(ntc_\w+)\/receipt/.exec((await visit()).text) ?? []
    await test.publisher.publishNow()
    const own = await visit(`/me/deletions/${id}/receipt`)
    expect(JSON.parse(own.text)).toMatchObject({
      receipt: expect.any(String),
      queued: { leafIndex: expect.any(Number) },
    })
    const bob = test.signIn({ id: test.broker.newId('user') })
    expect((await test.visit(`/me/deletions/${id}/receipt`, { as: bob })).status).toBe(404)
  })
})

describe('the operators’ page of deletions not done', () => {
  it('lists what was refused without a person, and settles it with a reason', async () => {
    await told({ sts: 'refused', code: 'no' })
    const page = await test.visit('/operator/deletions', { as: operator })
    expect(page.text).toContain('coffee.order')
    expect(page.text).not.toContain(alice.userId)
    const [, id = ''] = /(ntc_\w+)/.exec(page.text) ?? []
    const form = { do: 'settle_notice', id, here: '/operator/deletions', reason: 'they showed us' }
    await test.visit('/operator/write', { as: operator, form })
    expect((await test.visit('/operator/deletions', { as: operator })).text).toContain('Every skill has done')
    expect((await visit()).text).toContain('Settled by operators')
  })
})
