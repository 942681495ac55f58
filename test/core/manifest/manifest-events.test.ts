import { describe, expect, it } from 'vitest'
import { eventsUrlOf } from '../../../src/core/manifest/events.ts'
import { lintManifest } from '../../../src/core/manifest/lint-manifest.ts'
import { manifestShape } from '../../../src/core/manifest/manifest.ts'
import { plainJson } from '../../../src/core/manifest/manifest-change.ts'
import { needsNewConsent } from '../../../src/core/manifest/manifest-diff.ts'
import { sampleManifest } from '../../support/sample-manifest.ts'

const PLAIN = sampleManifest('coffee.order')
const BASE = (PLAIN.endpoint as { baseUrl: string }).baseUrl.replace(/\/$/, '')
const TOLD = { ...PLAIN, events: { path: '/countersign/events' } }
const codesOf = (manifest: typeof PLAIN) =>
  lintManifest(manifest)
    .filter(({ code }) => code.startsWith('events_'))
    .map(({ code, pointer, severity }) => `${severity} ${code} ${pointer}`)

describe('where a skill is told of a revocation', () => {
  it('is below its base URL, or at the origin of an MCP server', () => {
    expect(eventsUrlOf(TOLD)).toBe(`${BASE}/countersign/events`)
    const mcp = { ...TOLD, endpoint: { transport: 'mcp', url: 'https://tools.example/mcp' } as const }
    expect(eventsUrlOf(mcp)).toBe('https://tools.example/countersign/events')
    expect(eventsUrlOf({ ...TOLD, endpoint: { transport: 'mcp-stdio' } })).toBeUndefined()
    expect(eventsUrlOf(PLAIN)).toBeUndefined()
  })

  it('is without fault as a path of its own', () => {
    expect(codesOf(TOLD)).toEqual([])
  })

  it('is no path of an action, nor that of deletion notices', () => {
    const path = PLAIN.actions[0]?.path ?? ''
    expect(codesOf({ ...PLAIN, events: { path } })).toEqual(['error events_path_taken /actions/0/path'])
    const deletion = { path: '/countersign/events', withinSeconds: 3_600 }
    expect(codesOf({ ...TOLD, deletion })).toEqual(['error events_path_taken /deletion/path'])
  })

  it('is refused of a skill that has no URL', () => {
    expect(codesOf({ ...TOLD, endpoint: { transport: 'mcp-stdio' } })).toContain(
      'error events_unreachable /events',
    )
  })

  it.each(['events', '/a b', '/../x?y', 'https://evil.example/', '/a//b'])('is not %s', (path) => {
    expect(manifestShape.safeParse(plainJson({ ...PLAIN, events: { path } })).success).toBe(false)
  })

  it('asks for new consent when it is taken away, and not when it is added or moved', () => {
    const codes = (before: typeof PLAIN, after: typeof PLAIN) =>
      needsNewConsent(before, after, 'order_and_pay').map(({ code }) => code)
    expect(codes(TOLD, PLAIN)).toEqual(['events_removed'])
    expect(codes(PLAIN, TOLD)).toEqual([])
    expect(codes(TOLD, { ...TOLD, events: { path: '/elsewhere' } })).toEqual([])
  })
})
