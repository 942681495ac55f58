import { type TileRef, tilePath } from '../core/merkle/tile.ts'

/** Where a log is read from: a server, a folder of files, a database. Reads reject when there is nothing. */
export interface LogSource {
  /** The newest signed checkpoint. */
  checkpoint(): Promise<string>
  /** `width` hashes of a tile; exactly 32·width bytes. */
  tile(level: number, index: number, width: number): Promise<Buffer>
  /** A bundle of exactly `width` entries. */
  entries(index: number, width: number): Promise<Buffer>
}

/** A resource as read, or why it could not be: an outage is told apart from a log that lies. */
export type SourceRead =
  | { readonly kind: 'read'; readonly bytes: Buffer }
  | { readonly kind: 'unavailable'; readonly path: string; readonly detail: string }

/** Reads one tile or bundle. Never rejects, so reads can be started ahead of their use. */
export async function readResource(source: LogSource, { level, index, width }: TileRef): Promise<SourceRead> {
  try {
    const bytes =
      level === 'entries' ? await source.entries(index, width) : await source.tile(level, index, width)
    return { kind: 'read', bytes }
  } catch (cause) {
    return { kind: 'unavailable', path: tilePath({ level, index, width }), detail: messageOf(cause) }
  }
}

/** Reads the newest checkpoint. Never rejects. */
export async function readCheckpoint(
  source: LogSource,
): Promise<{ readonly kind: 'read'; readonly note: string } | Extract<SourceRead, { kind: 'unavailable' }>> {
  try {
    return { kind: 'read', note: await source.checkpoint() }
  } catch (cause) {
    return { kind: 'unavailable', path: 'checkpoint', detail: messageOf(cause) }
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
