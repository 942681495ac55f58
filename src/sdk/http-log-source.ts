import {
  decodeEntryBundle,
  ENTRY_BYTES_MAX,
  encodeEntryBundle,
  type TileRef,
  tilePath,
} from '../core/merkle/tile.ts'
import { HASH_BYTES, TILE_WIDTH } from '../core/merkle/tree.ts'
import type { LogSource } from './log-source.ts'

const CHECKPOINT_BYTES_MAX = 256 * 1024
const BUNDLE_BYTES_MAX = TILE_WIDTH * (2 + ENTRY_BYTES_MAX)
const TIMEOUT_MS = 30_000

/**
 * Reads a log served as C2SP tlog-tiles.
 *
 * @param prefix the log's URL prefix, as `https://broker.example/log`; what hangs below it is fixed.
 * @param options.token a bearer token with the scope to read entries, sent with bundles only.
 * @param options.fetch another fetch, for tests. Redirects are not followed and bodies are bounded.
 */
export function httpLogSource(
  prefix: string,
  options: { readonly token?: string; readonly fetch?: typeof fetch } = {},
): LogSource {
  const request = options.fetch ?? fetch
  const base = prefix.replace(/\/+$/, '')

  async function get(path: string, bytesMax: number, token?: string): Promise<Buffer | undefined> {
    const response = await request(`${base}/${path}`, {
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    })
    if (response.status === 200) return readBounded(response, bytesMax, path)
    await response.body?.cancel()
    if (response.status === 404 || response.status === 410) return undefined
    throw new Error(`${path} answered ${response.status}`)
  }

  // A log may drop a partial tile once the full one is there, which then begins with the same hashes.
  async function getTile(ref: TileRef, bytesMax: number, token?: string) {
    const exact = await get(tilePath(ref), bytesMax, token)
    if (exact !== undefined) return { bytes: exact, isLonger: false }
    const full = { ...ref, width: TILE_WIDTH }
    const longer = ref.width < TILE_WIDTH ? await get(tilePath(full), bytesMax, token) : undefined
    if (longer === undefined) throw new Error(`${tilePath(ref)} is not served`)
    return { bytes: longer, isLonger: true }
  }

  return {
    async checkpoint() {
      const bytes = await get('checkpoint', CHECKPOINT_BYTES_MAX)
      if (bytes === undefined) throw new Error('checkpoint is not served')
      // A note that is not UTF-8 must not turn into one that is.
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    },
    async tile(level, index, width) {
      const { bytes, isLonger } = await getTile({ level, index, width }, TILE_WIDTH * HASH_BYTES)
      return isLonger ? bytes.subarray(0, width * HASH_BYTES) : bytes
    },
    async entries(index, width) {
      const { bytes, isLonger } = await getTile(
        { level: 'entries', index, width },
        BUNDLE_BYTES_MAX,
        options.token,
      )
      if (!isLonger) return bytes
      const entries = decodeEntryBundle(bytes)
      return entries === undefined ? bytes : encodeEntryBundle(entries.slice(0, width))
    },
  }
}

/** Reads a body up to a limit, after decompression, so that a small answer cannot grow without end. */
async function readBounded(response: Response, bytesMax: number, path: string): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > bytesMax) throw new Error(`${path} is longer than ${bytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
