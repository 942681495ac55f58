import { randomBytes } from 'node:crypto'
import type { Pool, PoolClient } from 'pg'
import type { EpochKeys } from '../ports/epoch-keys.ts'
import type { KeyRotation } from '../ports/key-rotation.ts'
import { type CellRow, rewrapRows } from './cell-row.ts'
import { ask, checkValue, differ, unavailable } from './postgres-key-store.ts'

export type SharedRotation = {
  readonly rotation: KeyRotation
  /** The epoch that wraps new cells; asked of the store where what is known may be outdated. */
  begunEpoch(again: boolean): Promise<number>
  close(): Promise<void>
}

type Options = { readonly kekFile: string; readonly tellEveryMs?: number }

const TELL_EVERY_MS = 5_000
/** A process that was not heard of for so long is not waited for: it reads its keys again before it opens anything newer. */
const HEARD_WITHIN = "interval '60 seconds'"

/**
 * The rotation of a key store that several processes use. What changes it locks the store's one row: a new key is
 * known to all by its check before anything is wrapped in it, and nothing is wrapped in an old one after its last cell
 * was counted.
 */
export async function openSharedRotation(
  pool: Pool,
  options: Options,
  keks: EpochKeys,
): Promise<SharedRotation> {
  const holder = `holder_${randomBytes(12).toString('base64url')}`
  let begun = 1

  async function readBegun(): Promise<number> {
    const [row] = await ask<{ epoch: number }>(pool, 'select epoch from key_store')
    begun = row?.epoch ?? begun
    return begun
  }

  /** Tells which epochs this process holds, and drops from its own keys those that wrap nothing any more. */
  async function tell(): Promise<void> {
    await readBegun()
    await ask(
      pool,
      `insert into key_holders (holder, epoch, seen_at) values ($1, $2, clock_timestamp())
       on conflict (holder) do update set epoch = excluded.epoch, seen_at = excluded.seen_at`,
      [holder, await provenEpoch(pool, keks)],
    )
    if (olderThan(keks, begun).length > 0) await retire()
  }

  async function retire(): Promise<number[]> {
    return locked(pool, async (client, epoch) => {
      begun = epoch
      const unused: number[] = []
      for (const one of olderThan(keks, epoch)) {
        const { rows } = await client.query('select 1 from cells where epoch = $1 limit 1', [one])
        if (rows.length === 0) unused.push(one)
      }
      if (unused.length > 0) await keks.destroy(unused)
      return unused
    })
  }

  const rotation: KeyRotation = {
    async state() {
      const epoch = await readBegun()
      const { newestEpoch, begunAtMs } = await keks.reread()
      const older = olderThan(keks, epoch)
      const [row] = await ask<{ count: string }>(
        pool,
        'select count(*) as count from cells where epoch = any($1::integer[])',
        [older],
      )
      const newest = Math.max(newestEpoch, epoch)
      return {
        epoch,
        begunAtMs: begunAtMs.get(epoch) ?? 0,
        newest,
        older,
        remaining: Number(row?.count ?? 0),
      }
    },
    begin: (nowMs) =>
      locked(pool, async (client, epoch) => {
        const next = epoch + 1
        const known = await checkOf(client, next)
        const keys = await keks.reread()
        // Another process made it, and ours are a copy that was not renewed yet.
        if (known !== undefined && !keys.living.has(next)) return next
        const key = (await keks.begin(next, nowMs)).living.get(next)
        if (!key) throw new Error('an epoch that was not made')
        const value = checkValue(`kek:${next}`, key)
        if (known !== undefined && known !== value) throw differ(options.kekFile)
        await client.query(
          'insert into cell_key_checks (name, value) values ($1, $2) on conflict do nothing',
          [`kek:${next}`, value],
        )
        return next
      }),
    async activate() {
      await tell()
      return locked(pool, async (client, epoch) => {
        const next = await provenEpoch(client, keks)
        if (next <= epoch) return 'active'
        const { rows } = await client.query(
          `select 1 from key_holders where epoch < $1 and seen_at > clock_timestamp() - ${HEARD_WITHIN} limit 1`,
          [next],
        )
        if (rows.length > 0) return 'waits'
        await client.query('update key_store set epoch = $1', [next])
        begun = next
        return 'active'
      })
    },
    rewrap: (limit) =>
      locked(pool, async (client, epoch) => {
        const older = olderThan(keks, epoch)
        const { rows } = await client.query<{ cell_id: string; epoch: number; wrapped: Buffer }>(
          `select cell_id, epoch, wrapped from cells where epoch = any($1::integer[])
           order by epoch, cell_id limit $2 for update`,
          [older, limit],
        )
        if (rows.length === 0) return 0
        const anew: CellRow[] = rewrapRows(
          keks.current(),
          rows.map((row) => ({ cellId: row.cell_id, epoch: row.epoch, wrapped: row.wrapped })),
          epoch,
        )
        await client.query(
          `update cells set epoch = anew.epoch, wrapped = anew.wrapped
           from unnest($1::text[], $2::integer[], $3::bytea[]) as anew (cell_id, epoch, wrapped)
           where cells.cell_id = anew.cell_id`,
          [anew.map((row) => row.cellId), anew.map((row) => row.epoch), anew.map((row) => row.wrapped)],
        )
        return rows.length
      }),
    retire,
  }

  await tell()
  // What cannot be told now is told the next time; who needs the store meanwhile hears of it.
  const timer = setInterval(() => void tell().catch(() => undefined), options.tellEveryMs ?? TELL_EVERY_MS)
  timer.unref()
  return {
    rotation,
    begunEpoch: async (again) => (again ? readBegun() : begun),
    async close() {
      clearInterval(timer)
      await ask(pool, "delete from key_holders where holder = $1 or seen_at < now() - interval '1 day'", [
        holder,
      ]).catch(() => undefined)
    },
  }
}

function olderThan(keks: EpochKeys, epoch: number): number[] {
  return [...keks.current().living.keys()].filter((one) => one < epoch).sort((a, b) => a - b)
}

/** The newest epoch whose key we have as all others have it. */
async function provenEpoch(client: Pool | PoolClient, keks: EpochKeys): Promise<number> {
  const { rows } = await client.query<{ name: string; value: string }>(
    "select name, value from cell_key_checks where name like 'kek:%'",
  )
  const known = new Map(rows.map(({ name, value }) => [name, value]))
  // One that another process made may be in our file too by now.
  const newest = Math.max(...[...known.keys()].map((name) => Number(name.slice('kek:'.length))))
  if (newest > keks.current().newestEpoch) await keks.reread()
  const proven = [...keks.current().living].filter(
    ([epoch, key]) => known.get(`kek:${epoch}`) === checkValue(`kek:${epoch}`, key),
  )
  return Math.max(0, ...proven.map(([epoch]) => epoch))
}

async function checkOf(client: PoolClient, epoch: number): Promise<string | undefined> {
  const { rows } = await client.query<{ value: string }>(
    'select value from cell_key_checks where name = $1',
    [`kek:${epoch}`],
  )
  return rows[0]?.value
}

/** Does something while nobody else begins, ends or counts an epoch. @throws (rejects) StoreUnavailable for an outage. */
async function locked<T>(pool: Pool, work: (client: PoolClient, epoch: number) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw unavailable(error)
  })
  try {
    await client.query('begin')
    const { rows } = await client.query<{ epoch: number }>('select epoch from key_store for update')
    const done = await work(client, rows[0]?.epoch ?? 1)
    await client.query('commit')
    return done
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error instanceof Error && 'severity' in error ? unavailable(error) : error
  } finally {
    client.release()
  }
}
