import { setTimeout as after } from 'node:timers/promises'
import { Client } from 'pg'

/** How long the log may take to catch up after the load before the bench gives up. */
const CATCH_UP_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 100

/** Age of the oldest leaf that no checkpoint covers, in line or in the tree; none where all are covered. */
const BEHIND = `select (extract(epoch from clock_timestamp()) * 1000)::bigint - least(
    (select min(at_ms) from log_queue),
    (select at_ms from log_leaves where leaf_index =
      (select coalesce(max(tree_size), 0) from log_checkpoints))) as behind`
const SIZES = `select relname as name, pg_total_relation_size(oid)::float8 as bytes from pg_class
  where relkind = 'r' and relnamespace = 'public'::regnamespace`

/** Looks at a world's database from outside, over a connection of its own. */
export type DatabaseWatch = {
  /** Begins to watch the log; the function it returns waits until it has caught up and tells how it went. */
  watchLog(): () => Promise<LogPace>
  /** Bytes on disk by table, indexes and dead rows included. */
  tableBytes(): Promise<ReadonlyMap<string, number>>
  countActions(): Promise<number>
  close(): Promise<void>
}

export type LogPace = {
  /** How far the newest checkpoint was behind what was committed, at most, in milliseconds. */
  readonly behindMs: number
  /** How long after the load a checkpoint covered everything, in milliseconds. */
  readonly caughtUpMs: number
}

export async function openDatabaseWatch(url: string): Promise<DatabaseWatch> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const behind = async (): Promise<number | null> => {
    const [row] = (await client.query<{ behind: string | null }>(BEHIND)).rows
    return row?.behind == null ? null : Number(row.behind)
  }
  return {
    watchLog() {
      let isLoaded = true
      let behindMs = 0
      async function watch(): Promise<LogPace> {
        let endedAtMs: number | undefined
        for (;;) {
          const wasLoaded = isLoaded
          if (!wasLoaded) endedAtMs ??= performance.now()
          const now = await behind()
          behindMs = Math.max(behindMs, now ?? 0)
          const caughtUpMs = performance.now() - (endedAtMs ?? performance.now())
          if (!wasLoaded && now === null) return { behindMs, caughtUpMs }
          if (caughtUpMs > CATCH_UP_WITHIN_MS) throw new Error(`the log is ${now} ms behind and stays there`)
          await after(LOOK_EVERY_MS)
        }
      }
      const watching = watch()
      // Whoever waits for it is told; a load that fails first leaves nobody to wait.
      watching.catch(() => undefined)
      return () => {
        isLoaded = false
        return watching
      }
    },
    async tableBytes() {
      const { rows } = await client.query<{ name: string; bytes: number }>(SIZES)
      return new Map(rows.map(({ name, bytes }) => [name, bytes]))
    },
    async countActions() {
      const { rows } = await client.query<{ actions: number }>(
        'select count(*)::float8 as actions from actions',
      )
      return rows[0]?.actions ?? 0
    },
    close: () => client.end(),
  }
}
