import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { requestConsent } from '../../src/broker/request-consent.ts'
import { showConsentRequest } from '../../src/broker/show-consent-request.ts'
import { COFFEE_WISH, connectAgent } from '../support/connected-agent.ts'
import { type Edit, sampleManifest } from '../support/sample-manifest.ts'
import { createTestBroker, registerSkill, type TestBroker } from '../support/test-broker.ts'

let test: TestBroker

beforeEach(async () => {
  test = await createTestBroker()
})
afterEach(() => test.close())

/** The codes of all sentences a person reads about a skill with this manifest. */
async function shownFor(...edits: readonly Edit[]): Promise<string[]> {
  await registerSkill(test.broker, sampleManifest('coffee.order', ...edits))
  const { userId, id: agentId } = await connectAgent(test.broker, 'usr_a')
  const asked = await requestConsent(test.broker, { ...COFFEE_WISH, userId, agentId })
  if (asked.kind !== 'pending') throw new Error(JSON.stringify(asked))
  const found = await showConsentRequest(test.broker, { userId, requestId: asked.request.id })
  if (found.kind !== 'found') throw new Error(found.kind)
  return found.request.shown.en.questions.flatMap(({ sentences }) => sentences.map(({ code }) => code))
}

describe('whether a skill verifies its calls (P9)', () => {
  it('is shown as its promise when its manifest says so', async () => {
    const codes = await shownFor()
    expect(codes).toContain('skill_verifies')
    expect(codes).not.toContain('skill_does_not_verify')
  })

  it.each([false, undefined])('is not guessed from runtime keys: %s means unverified', async (value) => {
    const codes = await shownFor(['/verifiesCalls', value])
    expect(codes).toContain('skill_does_not_verify')
    expect(codes).not.toContain('skill_verifies')
  })
})
