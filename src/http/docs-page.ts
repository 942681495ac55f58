import { createHash } from 'node:crypto'
import { html, raw } from 'hono/html'
import { DOCS_STYLE } from './docs-style.ts'
import type { OpenApiDocument, Operation } from './openapi.ts'
import type { ProblemKind } from './problem-kind.ts'

type Fragment = ReturnType<typeof html>

/** Nothing but the one style sheet below, by its hash; no script, no image, no connection anywhere. */
export const DOCS_CSP = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(DOCS_STYLE).digest('base64')}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`

/** The API for people: one page, from the same document that programs read. */
export function docsPage(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  const sections = document.tags.map(({ name }) => ({
    name,
    id: name.toLowerCase().replace(/[^a-z]+/g, '-'),
    operations: operations.filter(({ operation }) => operation.tags.includes(name)),
  }))
  return page(
    'Countersign API',
    html`<header><h1>Countersign API</h1>
<p>${document.info.description}</p>
<p>Version ${document.info.version} · <a href="/openapi.json">OpenAPI 3.1</a> · <a href="/.well-known/jwks.json">keys</a> · <a href="/log/checkpoint">log</a></p></header>
<nav aria-label="Sections"><ul>${sections.map(({ id, name }) => html`<li><a href="#${id}">${name}</a></li>`)}<li><a href="#shapes">Shapes</a></li></ul></nav>
<main>${sections.map(
      (section) => html`<section id="${section.id}"><h2>${section.name}</h2>
${section.operations.map(({ path, method, operation }) => operationArticle(path, method, operation))}</section>`,
    )}<section id="shapes"><h2>Shapes</h2>${Object.entries(document.components.schemas).map(
      ([name, schema]) =>
        html`<article id="shape-${name}"><h3><code>${name}</code></h3>${schemaText(schema)}</article>`,
    )}</section></main>`,
  )
}

/** What a problem's `type` leads to. */
export function problemPage(code: string, kind: ProblemKind): string {
  return page(
    kind.title,
    html`<main><h1>${kind.title}</h1><p><code>${code}</code> · status ${String(kind.status)}</p>
<p>${kind.detail}</p><p><a href="/docs">All of the API</a></p></main>`,
  )
}

function page(title: string, content: Fragment): string {
  return String(html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>${raw(DOCS_STYLE)}</style></head>
<body>${content}</body></html>`)
}

function operationArticle(path: string, method: string, operation: Operation): Fragment {
  const { parameters, requestBody, responses } = operation
  const problems = Object.entries(operation['x-problems'])
  const answers = Object.entries(responses).filter(([status]) => status.startsWith('2'))
  return html`<article id="${operation.operationId}">
<h3><span class="method ${method}">${method.toUpperCase()}</span> <code>${pieces(path)}</code></h3>
<p class="summary">${operation.summary}</p>
<p class="who">${whoMayCall(operation)}</p>
${operation.description ? html`<p>${operation.description}</p>` : ''}
${
  parameters.length > 0
    ? html`<dl>${parameters.map(
        (parameter) =>
          html`<dt><code>${parameter.name}</code> <small>${parameter.in}${parameter.required ? ', required' : ''}</small></dt>
<dd>${parameter.description ?? describe(parameter.schema)}</dd>`,
      )}</dl>`
    : ''
}
${requestBody ? schemaDetails('Request body', requestBody.content['application/json'].schema) : ''}
${answers.map(([status, answer]) => {
  const schema = answer.content?.['application/json']?.schema
  return html`<p><span class="status">${status}</span> ${answer.description}</p>${schema ? schemaDetails('Shape', schema) : ''}`
})}
<details><summary>Problems</summary><ul class="problems">${problems.map(
    ([status, codes]) =>
      html`<li>${status} ${codes.map((code) => html`<a href="/problems/${code}"><code>${code}</code></a> `)}</li>`,
  )}</ul></details></article>`
}

/** Paths may break after each slash, so that long ones fit a phone. */
function pieces(path: string): Fragment[] {
  return path.split('/').map((piece, index) => html`${index === 0 ? '' : raw('/<wbr>')}${piece}`)
}

const WITH_ARTICLE: Readonly<Record<string, string>> = {
  agent: 'an agent',
  user: 'a user',
  operator: 'an operator',
}

function whoMayCall({ security }: Operation): string {
  const kinds = security.flatMap((scheme) => Object.keys(scheme))
  return kinds.length === 0
    ? 'Anybody'
    : `Takes the token of ${kinds.map((kind) => WITH_ARTICLE[kind] ?? kind).join(' or ')}`
}

function schemaDetails(title: string, schema: unknown): Fragment {
  return html`<details><summary>${title}</summary>${schemaText(schema)}</details>`
}

/** The schema as JSON, with each reference a link to the shape it names. */
function schemaText(schema: unknown): Fragment {
  const pieces = JSON.stringify(schema, null, 2).split(/"#\/components\/schemas\/([\w.-]+)"/)
  return html`<pre tabindex="0">${pieces.map((piece, index) =>
    index % 2 === 0 ? piece : html`"<a href="#shape-${piece}">#/components/schemas/${piece}</a>"`,
  )}</pre>`
}

function describe(schema: Readonly<Record<string, unknown>>): string {
  const { enum: values, type, pattern } = schema
  if (Array.isArray(values)) return `one of ${values.join(', ')}`
  if (typeof pattern === 'string') return `${String(type)} like ${pattern}`
  return typeof type === 'string' ? type : 'any'
}
