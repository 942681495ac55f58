import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { type ApiCaller, openApiClient, readAs } from '../../src/demo/api-client.ts'
import type { BrowserByHand } from '../../src/demo/browser-by-hand.ts'
import { freePort } from '../../src/demo/free-port.ts'
import { type RunningSkill, startSkill } from '../../src/demo/skills/start-skill.ts'
import { connect } from '../support/oauth-client.ts'
import { type OauthWorld, openOauthWorld } from '../support/oauth-world.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { registerSkill } from '../support/test-broker.ts'

/** A broker on a real socket, a skill that is a server of its own, and a user who answers. */
export type ClientWorld = OauthWorld & {
  readonly mcpUrl: string
  readonly coffee: RunningSkill
  readonly user: { readonly userId: string; readonly browser: BrowserByHand; readonly api: ApiCaller }
  /** Answers a question as its page does: what was shown is what is allowed. */
  allow(url: string): Promise<void>
  refuse(url: string): Promise<void>
  /** The page of the newest question about one action, as soon as there is one. */
  nextApproval(): Promise<string>
  /** The user's grants that stand. */
  grants(): Promise<{ grantId: string; agentId: string; skill: string }[]>
  revoke(grantId: string): Promise<void>
  /** Tokens for the MCP endpoint, as a registered client with a browser gets them. */
  mcpTokens(): Promise<{
    clientId: string
    accessToken: string
    refreshToken: string
    expiresInSeconds: number
  }>
}

const questionShape = z.looseObject({ shown: z.looseObject({ digest: z.string() }) })
const grantsShape = z.looseObject({
  items: z.array(
    z.looseObject({ grantId: z.string(), agentId: z.string(), skill: z.string(), state: z.string() }),
  ),
})
const approvalsShape = z.looseObject({
  items: z.array(z.looseObject({ approvalId: z.string(), state: z.string() })),
})
const tokensShape = z.looseObject({
  access_token: z.string(),
  refresh_token: z.string(),
  expires_in: z.number(),
})

export async function openClientWorld(): Promise<ClientWorld> {
  const port = (await freePort(0)) ?? 0
  const url = `http://localhost:${port}`
  const coffee = await startSkill({
    name: 'coffee.order',
    broker: { issuer: url, keys: { url: `${url}/.well-known/jwks.json` } },
  })
  onTestFinished(coffee.stop)
  const secrets = join(tempFolder(), 'secrets.json')
  writeFileSync(secrets, JSON.stringify({ 'coffee.order': { '/payment_token': 'tok_test_card' } }), {
    mode: 0o600,
  })
  const world = await openOauthWorld({
    COUNTERSIGN_PORT: String(port),
    COUNTERSIGN_SKILL_DEV_ORIGINS: coffee.baseUrl,
    COUNTERSIGN_SKILL_SECRETS_FILE: secrets,
  })
  await registerSkill(world.running.broker, {
    ...coffee.manifest,
    version: coffee.manifest.version + 1,
  })
  await registerSkill(world.running.broker, sampleManifest('coding.local'))
  const { userId, browser } = await world.signIn({ isSteppedUp: true })
  const home = await browser.open(`${url}/me`)
  const csrf = /name="csrf" value="([^"]+)"/.exec(home.text)?.[1] ?? ''
  const api = openApiClient(url, async () => ({
    cookie: browser.cookieHeader('/v1'),
    'sec-fetch-site': 'same-origin',
    'countersign-csrf': csrf,
  }))

  async function answer(link: string, how: 'approve' | 'refuse'): Promise<void> {
    const page = await browser.open(link)
    if (page.status !== 200) throw new Error(`${link} answered ${page.status}`)
    const [, kind, id] = new URL(link).pathname.split('/')
    const path = `/v1/${kind === 'approvals' ? 'approvals' : 'consent-requests'}/${id}`
    const { shown } = readAs(await api.get(path), 200, questionShape)
    const body = how === 'approve' ? { shownDigest: shown.digest } : {}
    readAs(await api.post(`${path}/${how}`, body), 200, z.looseObject({}))
  }

  return {
    ...world,
    mcpUrl: `${url}/mcp`,
    coffee,
    user: { userId, browser, api },
    allow: (link) => answer(link, 'approve'),
    refuse: (link) => answer(link, 'refuse'),
    async nextApproval() {
      for (const untilMs = performance.now() + 60_000; performance.now() < untilMs; ) {
        const { items } = readAs(await api.get('/v1/approvals?status=waiting'), 200, approvalsShape)
        const [newest] = items.filter(({ state }) => state === 'waiting')
        if (newest) return `${url}/approvals/${newest.approvalId}`
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
      throw new Error('nobody asked')
    },
    async grants() {
      const { items } = readAs(await api.get('/v1/grants'), 200, grantsShape)
      return items.filter(({ state }) => state === 'active')
    },
    async revoke(grantId) {
      readAs(await api.post(`/v1/grants/${grantId}/revoke`, {}), 200, z.looseObject({}))
    },
    async mcpTokens() {
      const { clientId, tokens } = await connect(world, browser, { extra: { resource: `${url}/mcp` } })
      const { access_token, refresh_token, expires_in } = tokensShape.parse(tokens.body)
      return {
        clientId,
        accessToken: access_token,
        refreshToken: refresh_token,
        expiresInSeconds: expires_in,
      }
    },
  }
}

/** The first link of this kind in what a program printed. */
export function linkIn(text: string, kind: 'consents' | 'approvals'): string {
  const link = new RegExp(`http://[^\\s"'\\\\]+/${kind}/[A-Za-z0-9_]+`).exec(text)?.[0]
  if (link === undefined) throw new Error(`no link to ${kind} in: ${text.slice(0, 2_000)}`)
  return link
}
