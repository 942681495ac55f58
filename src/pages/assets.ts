import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Answer } from '../http/answer.ts'
import type { SurfaceRoute } from '../http/surface-route.ts'

type Asset = { readonly path: string; readonly type: string; readonly bytes: Uint8Array<ArrayBuffer> }

const own = (name: string) => fileURLToPath(new URL(`./assets/${name}`, import.meta.url))

/** A file of a package, found beside what the package exports. */
function library(name: string, file: string): string {
  return fileURLToPath(new URL(file, import.meta.resolve(name)))
}

const SOURCES: Readonly<Record<string, string>> = {
  'app.css': own('app.css'),
  'app.js': own('app.js'),
  'channels.js': own('channels.js'),
  'icon.svg': own('icon.svg'),
  'passkey.js': own('passkey.js'),
  'webauthn.js': library('@simplewebauthn/browser', '../dist/bundle/index.umd.min.js'),
}

const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

const ASSETS: ReadonlyMap<string, Asset> = new Map(
  Object.entries(SOURCES).map(([name, file]) => [name, load(name, file)]),
)

/** Where a file of src/pages/assets is served: its name holds its hash, so that it can be kept for ever. */
export function assetPath(name: string): string {
  const asset = ASSETS.get(name)
  if (!asset) throw new Error(`There is no asset ${name}.`)
  return asset.path
}

/**
 * The service worker that shows what is pushed. It keeps its path, because a browser knows it by that; its scope holds no
 * page, so it can come between a person and none of ours.
 */
export function pushWorkerRoute(): SurfaceRoute {
  const bytes = new Uint8Array(readFileSync(own('push-worker.js')))
  return {
    method: 'get',
    path: '/push-worker.js',
    answer: async (): Promise<Answer> => ({
      status: 200,
      headers: { 'cache-control': 'no-cache', 'service-worker-allowed': '/push-worker/' },
      content: { type: TYPES.js ?? '', bytes },
    }),
  }
}

/** The route of every asset. */
export function assetRoutes(): SurfaceRoute[] {
  return [...ASSETS.values()].map((asset) => ({
    method: 'get',
    path: asset.path,
    answer: async (): Promise<Answer> => ({
      status: 200,
      headers: { 'cache-control': 'public, max-age=31536000, immutable' },
      content: { type: asset.type, bytes: asset.bytes },
    }),
  }))
}

function load(name: string, file: string): Asset {
  const bytes = new Uint8Array(readFileSync(file))
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16)
  const dot = name.lastIndexOf('.')
  const ending = name.slice(dot + 1)
  return {
    path: `/assets/${name.slice(0, dot)}-${hash}.${ending}`,
    type: TYPES[ending] ?? 'application/octet-stream',
    bytes,
  }
}
