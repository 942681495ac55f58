import { describe, expect, it } from 'vitest'
import { lintManifest } from '../../../src/core/manifest/lint-manifest.ts'
import { endpointOf, type Manifest, type ManifestAction } from '../../../src/core/manifest/manifest.ts'
import { diffManifests } from '../../../src/core/manifest/manifest-diff.ts'
import { actionAt, sampleManifest } from '../../support/sample-manifest.ts'

const DIGEST = 'A'.repeat(43)
const at = actionAt('coffee.order', 'get_menu')

/** The coffee skill as an MCP server. */
function mcpManifest(
  change: (action: ManifestAction, index: number) => ManifestAction = (same) => same,
): Manifest {
  const sample = sampleManifest('coffee.order')
  return {
    ...sample,
    endpoint: { transport: 'mcp', url: 'https://mcp.coffee.example/mcp' },
    actions: sample.actions.map((action, index) => {
      const { path: _, poll: __, refusal, ...rest } = action
      return change(
        {
          ...rest,
          ...(refusal ? { refusal: { codePointer: refusal.codePointer } } : {}),
          tool: { name: action.name, digest: DIGEST, answers: 'structured' },
        },
        index,
      )
    }),
  }
}

function errorsOf(manifest: Manifest): string[] {
  return lintManifest(manifest)
    .filter(({ severity }) => severity === 'error')
    .map(({ code, pointer }) => `${code} ${pointer}`)
}

describe('the manifest of an MCP skill', () => {
  it('has no faults when every action is one tool', () => {
    expect(errorsOf(mcpManifest())).toEqual([])
  })

  it.each<[string, Manifest, string]>([
    ['an action without a tool', mcpManifest(({ tool: _, ...rest }) => rest), 'tool_missing /actions/0'],
    [
      'an action with a path',
      mcpManifest((action) => ({ ...action, path: '/menu' })),
      'path_not_http /actions/0/path',
    ],
    [
      'a refusal by status',
      mcpManifest((action) => ({ ...action, refusal: { statuses: [409], codePointer: '/code' } })),
      'statuses_not_http /actions/0/refusal/statuses',
    ],
    [
      'two actions of one tool',
      mcpManifest((action, index) =>
        index < 2 && action.tool ? { ...action, tool: { ...action.tool, name: 'one' } } : action,
      ),
      'tool_named_twice /actions/1/tool/name',
    ],
    [
      'polling',
      mcpManifest((action) => ({ ...action, poll: { everySeconds: 1, forSeconds: 10 } })),
      'poll_not_http /actions/0/poll',
    ],
    [
      'a URL on a private network',
      { ...mcpManifest(), endpoint: { transport: 'mcp', url: 'https://10.1.2.3/mcp' } },
      'endpoint_not_public /endpoint/url',
    ],
    [
      'a URL that holds a key',
      { ...mcpManifest(), endpoint: { transport: 'mcp', url: 'https://mcp.example/mcp?key=1' } },
      'endpoint_not_plain /endpoint/url',
    ],
  ])('is refused for %s', (_, manifest, fault) => {
    expect(errorsOf(manifest)).toContain(fault)
  })

  it('refuses a tool, and asks for a path, where the skill is called over http', () => {
    const http = { ...mcpManifest(), endpoint: sampleManifest('coffee.order').endpoint }
    expect(errorsOf(http)).toEqual(expect.arrayContaining([`tool_not_mcp ${at}/tool`, `path_missing ${at}`]))
  })

  it('names its tool in the audience of each call', () => {
    const manifest = mcpManifest()
    const [action] = manifest.actions
    if (!action) throw new Error('no action')
    expect(endpointOf(manifest, action)).toBe(`https://mcp.coffee.example/mcp#${action.name}`)
    expect(endpointOf({ ...manifest, endpoint: { transport: 'mcp-stdio' } }, action)).toBe(
      `stdio:coffee.order#${action.name}`,
    )
  })

  it('needs a new yes for each action whose tool is defined anew, and no other', () => {
    const before = mcpManifest()
    const after = mcpManifest((action) =>
      action.name === 'get_menu' && action.tool
        ? { ...action, tool: { ...action.tool, digest: 'B'.repeat(43) } }
        : action,
    )
    const asked = Object.entries(diffManifests(before, { ...after, version: before.version + 1 }).perAction)
      .filter(([, changes]) => changes.length > 0)
      .map(([name, changes]) => [name, changes.map(({ code }) => code)])
    expect(asked).toEqual([['get_menu', ['endpoint_changed']]])
  })
})
