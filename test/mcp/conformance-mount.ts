import { storedDeployments } from '../../src/broker/agent-deployments.ts'
import { AuthorityChanges } from '../../src/broker/authority-changes.ts'
import { watchStore } from '../../src/broker/watched-store.ts'
import { type Manifest, manifestShape } from '../../src/core/manifest/manifest.ts'
import { createApp } from '../../src/http/app.ts'
import { listen } from '../../src/http/server.ts'
import { openMcpSurface } from '../../src/mcp/mcp-surface.ts'
import { QWEN } from '../support/connected-agent.ts'
import { answered } from '../support/fake-skill.ts'
import { grantAll } from '../support/granted-agent.ts'
import { createTestBroker, insertAgent } from '../support/test-broker.ts'

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA='
const text = (words: string) => ({ type: 'text', text: words })

/** What each of the suite's tools answers, by skill and action: their names meet in the names the suite calls. */
const ANSWERS: Readonly<Record<string, Readonly<Record<string, readonly object[] | 'refused'>>>> = {
  'test.simple': { text: [text('This is a simple text response for testing.')] },
  'test.image': { content: [{ type: 'image', data: PNG, mimeType: 'image/png' }] },
  'test.audio': { content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }] },
  'test.embedded': {
    resource: [
      {
        type: 'resource',
        resource: {
          uri: 'test://embedded-resource',
          mimeType: 'text/plain',
          text: 'This is an embedded resource content.',
        },
      },
    ],
  },
  'test.multiple': {
    content_types: [
      text('Multiple content types test:'),
      { type: 'image', data: PNG, mimeType: 'image/png' },
      {
        type: 'resource',
        resource: {
          uri: 'test://mixed-content-resource',
          mimeType: 'application/json',
          text: '{"test":"data","value":123}',
        },
      },
    ],
  },
  'test.error': { handling: 'refused' },
  'test.tool': {
    with_progress: [text('Done with progress.')],
    with_logging: [text('Done with logging.')],
  },
}

/**
 * The MCP endpoint on a port of its own, without tokens, as the conformance suite needs it: every request is one agent's,
 * which has a grant over the suite's tools. The broker behind it is a whole one. Only tests have this.
 */
export async function openConformanceMount(): Promise<{ url: string; close(): Promise<void> }> {
  const server = await listen('127.0.0.1', 0)
  const host = `127.0.0.1:${server.port}`
  const test = await createTestBroker({ settings: { issuer: `http://${host}` } })
  const { broker } = test
  const changes = new AuthorityChanges()
  broker.store = watchStore(broker.store, changes)
  const userId = broker.newId('user')
  const agent = await insertAgent(broker, { userId, deployments: storedDeployments([QWEN]) })
  for (const skill of Object.keys(ANSWERS)) {
    await grantAll(broker, manifestOf(skill), { budgets: [] }, { userId, agent })
  }
  test.skill.replyAlways(({ endpoint }) => {
    const [, skill = '', action = ''] = new URL(endpoint).pathname.split('/')
    const content = ANSWERS[skill]?.[action]
    return content === undefined || content === 'refused'
      ? answered({ code: 'always_fails' }, 409)
      : answered(JSON.parse(JSON.stringify({ content })))
  })
  const surface = openMcpSurface({ broker, changes })
  const caller = {
    kind: 'agent' as const,
    userId,
    agentId: agent.id,
    sessionId: broker.newId('session'),
    scopes: [],
  }
  const plenty = { perMinute: 1_000_000_000, burst: 1_000_000_000, keysMost: 1_000 }
  const app = createApp({
    broker,
    routes: [],
    streams: [{ ...surface, respond: (raw) => surface.respond({ ...raw, authenticate: () => caller }) }],
    allowedHosts: [host, `localhost:${server.port}`],
    allowsDevelopmentTokens: false,
    rateLimits: { address: plenty, agent: plenty, user: plenty },
  })
  server.serve(app)
  return {
    url: `http://${host}/mcp`,
    async close() {
      await server.stop(500)
      await test.close()
    },
  }
}

const both = (words: string) => ({ en: words, zh: words })
const field = (maxLength: number) => ({ type: 'string', maxLength })

function manifestOf(skill: string): Manifest {
  const resource = {
    type: 'object',
    properties: { uri: field(200), mimeType: field(100), text: field(2000) },
    additionalProperties: false,
  }
  const block = {
    type: 'object',
    properties: { type: field(20), text: field(2000), data: field(4000), mimeType: field(100), resource },
    additionalProperties: false,
  }
  return manifestShape.parse({
    manifestVersion: 1,
    skill,
    version: 1,
    publisher: 'conformance.example',
    title: both(`Fixture ${skill}`),
    description: both('Answers what the conformance suite expects.'),
    endpoint: { transport: 'http', baseUrl: `http://127.0.0.1:9101/${skill}` },
    runtimeKeys: [],
    categories: { content: both('Content') },
    recipients: [],
    memory: [],
    actions: Object.keys(ANSWERS[skill] ?? {}).map((name) => ({
      name,
      title: both(name),
      description: both(`The tool ${name} of the conformance suite.`),
      effects: ['read'],
      path: `/${name}`,
      timeoutMs: 5000,
      input: { type: 'object', 'x-category': 'content', properties: {}, additionalProperties: false },
      result: {
        type: 'object',
        'x-category': 'content',
        properties: { content: { type: 'array', maxItems: 8, items: block } },
        required: ['content'],
        additionalProperties: false,
      },
      recipients: [],
      remembers: [],
      refusal: { statuses: [409], codePointer: '/code' },
      honoursKeys: true,
    })),
  })
}
