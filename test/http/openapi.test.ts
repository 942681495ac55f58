import { createHash } from 'node:crypto'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OpenApiDocument } from '../../src/http/openapi.ts'
import { PROBLEMS } from '../../src/http/problem-codes.ts'
import { createTestApp, type TestApp } from '../support/test-app.ts'

let test: TestApp
let document: OpenApiDocument
beforeAll(async () => {
  test = await createTestApp()
  document = JSON.parse((await test.call('GET', '/openapi.json')).text)
})
afterAll(() => test.close())

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )

describe('/openapi.json', () => {
  it('lists every route, and no other', () => {
    const routes = test.routes.filter((route) => !route.isHidden)
    const wanted = routes.map((route) => `${route.method} ${route.path.replace('*}', '}')}`).sort()
    expect(
      operations()
        .map(({ path, method }) => `${method} ${path}`)
        .sort(),
    ).toEqual(wanted)
    expect(document.openapi).toBe('3.1.1')
  })

  it('names each operation once and each path parameter', () => {
    const ids = operations().map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { path, operation } of operations()) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      const listed = operation.parameters.filter((it) => it.in === 'path')
      expect([path, listed.map((it) => it.name)]).toEqual([path, inPath])
      expect(listed.every((it) => it.required)).toBe(true)
    }
  })

  it('holds nothing but schemas of JSON Schema 2020-12, and only references that lead somewhere', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false })
    ajv.addSchema({ $id: 'https://openapi.test/', components: document.components })
    let count = 0
    const visit = (value: unknown) => {
      if (typeof value !== 'object' || value === null) return
      for (const [name, member] of Object.entries(value)) {
        if (name === 'schema') {
          const text = JSON.stringify(member).replaceAll(
            '"#/components',
            '"https://openapi.test/#/components',
          )
          expect(() => ajv.compile(JSON.parse(text))).not.toThrow()
          count += 1
        } else visit(member)
      }
    }
    visit(document.paths)
    expect(count).toBeGreaterThan(150)
    expect(JSON.stringify(document)).not.toContain('#/$defs')
  })

  it('says who may call, and which problems to expect', () => {
    const actions = document.paths['/v1/actions']?.post
    expect(actions?.security).toEqual([{ agent: [] }])
    expect(actions?.['x-problems']['403']).toContain('consent_required')
    expect(actions?.responses['403']?.content?.['application/problem+json']).toBeDefined()
    expect(document.paths['/v1/manifests']?.post?.security).toEqual([])
    expect(document.paths['/log/tile/entries/{path}']?.get?.security).toContainEqual({ agent: ['log:read'] })
  })
})

describe('/docs', () => {
  it('shows every operation, under a policy that allows its one style sheet and nothing else', async () => {
    const page = await test.call('GET', '/docs')
    for (const { operation } of operations()) expect(page.text).toContain(`id="${operation.operationId}"`)
    const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(page.text) ?? []
    const digest = createHash('sha256').update(style).digest('base64')
    expect(page.headers.get('content-security-policy')).toContain(`style-src 'sha256-${digest}'`)
    expect(page.text).not.toMatch(/<script|<link|<img|style="|https?:\/\/(?!broker\.example|json-schema)/)
    expect(page.text).toContain('width=device-width')
    expect(page.text.length).toBeLessThan(700_000)
  })

  it('has every shape that another one refers to, and links that lead somewhere', async () => {
    const { text } = await test.call('GET', '/docs')
    const links = [...text.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id)
    expect(links.some((id) => id?.startsWith('shape-'))).toBe(true)
    expect(links.filter((id) => !text.includes(`id="${id}"`))).toEqual([])
    expect(text).not.toMatch(/(&quot;|")#\/components/)
  })

  it('says in words what a list takes', async () => {
    const { text } = await test.call('GET', '/docs')
    expect(text).toContain('How many: 1 to 100, 20 unless given.')
    expect(text).not.toContain('string like ^([1-9]')
  })

  it('has a page for every problem, and for nothing else', async () => {
    for (const [code, kind] of Object.entries(PROBLEMS)) {
      const page = await test.call('GET', `/problems/${code}`)
      expect([code, page.status]).toEqual([code, 200])
      expect(page.text).toContain(kind.title.replaceAll("'", '&#39;'))
    }
    expect((await test.call('GET', '/problems/toString')).status).toBe(404)
    expect((await test.call('GET', '/problems/__proto__')).status).toBe(404)
  })
})
