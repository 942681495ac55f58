import { parseDecimal } from './strict-text.ts'
import { TILE_WIDTH } from './tree.ts'

/** One resource of a tiled log: a row of hashes, or with level `entries` the leaves under tile row 0. */
export interface TileRef {
  readonly level: number | 'entries'
  readonly index: number
  /** Hashes or entries in it, 1 to 256; below 256 the tile is partial. */
  readonly width: number
}

/** The longest entry a bundle can hold: its length is a 16-bit number. */
export const ENTRY_BYTES_MAX = 65_535

/**
 * Prints the path of a tile below the log's prefix, as `tile/4/x001/x234/067` or `tile/0/273.p/112`
 * (c2sp.org/tlog-tiles).
 * @throws RangeError if level, index or width is out of range.
 */
export function tilePath({ level, index, width }: TileRef): string {
  if (level !== 'entries' && !(Number.isInteger(level) && level >= 0 && level <= 63)) {
    throw new RangeError(`no tile level ${level}`)
  }
  if (!Number.isSafeInteger(index) || index < 0) throw new RangeError(`no tile index ${index}`)
  if (!Number.isInteger(width) || width < 1 || width > TILE_WIDTH)
    throw new RangeError(`no tile width ${width}`)
  let groups = threeDigits(index % 1000)
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    groups = `x${threeDigits(rest % 1000)}/${groups}`
  }
  return `tile/${level}/${groups}${width < TILE_WIDTH ? `.p/${width}` : ''}`
}

/** Parses a tile path in its one canonical spelling; undefined for anything else. */
export function parseTilePath(path: string): TileRef | undefined {
  const match = /^tile\/(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/.exec(
    path,
  )
  const [, levelText, groups, widthText] = match ?? []
  if (levelText === undefined || groups === undefined) return undefined
  const level = levelText === 'entries' ? levelText : parseDecimal(levelText)
  const index = Number(groups.replaceAll(/[x/]/g, ''))
  const width = widthText === undefined ? TILE_WIDTH : parseDecimal(widthText)
  if (level === undefined || width === undefined || !Number.isSafeInteger(index)) return undefined
  if (level !== 'entries' && level > 63) return undefined
  if (width < 1 || (widthText !== undefined && width >= TILE_WIDTH)) return undefined
  const ref: TileRef = { level, index, width }
  // Leading zero groups (`x000/001`) are another name for the same tile: only one name is served.
  return tilePath(ref) === path ? ref : undefined
}

/** The width a tile has in a tree of this size: 256, less when it is the last of its row, 0 when there is none. */
export function tileWidth(treeSize: number, level: number | 'entries', index: number): number {
  const inRow = rowLength(treeSize, level) - index * TILE_WIDTH
  return Math.max(0, Math.min(TILE_WIDTH, inRow))
}

/** Says whether a tree of this size can serve the tile: all of its hashes are of finished subtrees. */
export function tileExists({ level, index, width }: TileRef, treeSize: number): boolean {
  return width >= 1 && width <= tileWidth(treeSize, level, index)
}

/** Lists the hash tiles of a tree, lowest row first; the entry bundles are those of row 0. */
export function* tilesOf(treeSize: number): Generator<TileRef & { readonly level: number }> {
  for (let level = 0; rowLength(treeSize, level) > 0; level += 1) {
    const length = rowLength(treeSize, level)
    for (let index = 0; index * TILE_WIDTH < length; index += 1) {
      yield { level, index, width: tileWidth(treeSize, level, index) }
    }
  }
}

/**
 * Joins entries into a bundle: each with its length as a 16-bit big-endian number before it.
 * @throws RangeError for an entry longer than 65,535 bytes.
 */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Buffer {
  const bundle = Buffer.allocUnsafe(entries.reduce((bytes, entry) => bytes + 2 + entry.length, 0))
  let at = 0
  for (const entry of entries) {
    if (entry.length > ENTRY_BYTES_MAX)
      throw new RangeError(`an entry of ${entry.length} bytes fits no bundle`)
    at = bundle.writeUInt16BE(entry.length, at)
    bundle.set(entry, at)
    at += entry.length
  }
  return bundle
}

/** Splits a bundle into its entries (views, not copies); undefined if it is cut or its last entry overruns. */
export function decodeEntryBundle(bundle: Buffer): Buffer[] | undefined {
  const entries: Buffer[] = []
  let at = 0
  while (at < bundle.length) {
    if (at + 2 > bundle.length) return undefined
    const end = at + 2 + bundle.readUInt16BE(at)
    if (end > bundle.length) return undefined
    entries.push(bundle.subarray(at + 2, end))
    at = end
  }
  return entries
}

/** Hashes in a tile row: finished subtrees of 256^level leaves. */
function rowLength(treeSize: number, level: number | 'entries'): number {
  return Math.floor(treeSize / TILE_WIDTH ** (level === 'entries' ? 0 : level))
}

function threeDigits(value: number): string {
  return String(value).padStart(3, '0')
}
