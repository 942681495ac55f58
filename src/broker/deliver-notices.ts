import { randomUUID } from 'node:crypto'
import { freezeIdOf } from '../core/decision/freeze-ids.ts'
import { deletionUrlOf } from '../core/manifest/deletion.ts'
import type { LoadedManifest } from '../core/manifest/loaded-manifest.ts'
import type { NoticeReason, NoticeScope } from '../core/notice/notice-scope.ts'
import {
  NOTICE_MEDIA_TYPE,
  NOTICE_TTL_SECONDS,
  NOTICE_TYP,
  type NoticeClaims,
  noticeClaims,
} from '../core/notice/notice-token.ts'
import type { SkillNoticeRow } from '../ports/notice-rows.ts'
import type { SkillReply } from '../ports/skill-caller.ts'
import type { Tx } from '../ports/store.ts'
import type { BackgroundLoop } from './background-loop.ts'
import type { Broker } from './broker.ts'
import { type LeafSealer, sealerFor } from './leaf-sealer.ts'
import { type PromisedLeaf, promiseOf } from './log-promise.ts'
import { noticeCells, noticeLeaf, noticeOwner } from './notice-leaf.ts'
import { giveUpInTx, markOverdueInTx } from './overdue-notice.ts'
import { settleNotice } from './settle-notice.ts'

/** How long one node has to deliver a notice before another may think it is gone, in milliseconds. */
const LEASE_MS = 60_000
/** For the whole call; an answer needs no work that cannot be done later, with 202 and the next delivery. */
const TIMEOUT_MS = 20_000
const MOST_RESPONSE_BYTES = 16_384
/** How soon a notice is looked at again whose skill is frozen, clean-up calls and all. */
const FROZEN_MS = 300_000
const AT_ONCE = 8
/** What another node left, or a restart, is found after so long, in milliseconds. */
const LOOK_AGAIN_MS = 2_000
const PAUSE_LEAST_MS = 100

/** Where delays get their share of chance: from 0 up to 1. */
export type Random = () => number

/**
 * Delivers what is due, each notice at least once and always under its own id: what becomes of a delivery is kept after
 * it was made, so a crash between the two makes it again.
 *
 * @returns how many were taken up.
 */
export async function deliverDueNotices(broker: Broker, random: Random): Promise<number> {
  const due = await broker.store.read(async (tx) => tx.skillNotices.due(tx.nowMs, AT_ONCE))
  await Promise.all(due.map((row) => deliverOne(broker, random, row)))
  return due.length
}

/** Delivers until it is stopped: at once when woken, and whatever falls due meanwhile. */
export function startNoticeDelivery(broker: Broker, random: Random): BackgroundLoop {
  let stopped = false

  async function run(): Promise<void> {
    while (!stopped) {
      const more = await deliverDueNotices(broker, random).catch((error: unknown) => {
        broker.logger.error('background_work_failed', {
          name: 'deliver_notices',
          error: error instanceof Error ? error.message : 'unknown',
        })
        return 0
      })
      if (more < AT_ONCE && !stopped) await broker.notices.wait(await pauseMs(broker))
    }
  }

  const running = run()
  return {
    async stop() {
      stopped = true
      broker.notices.wake()
      await running
    },
  }
}

/** Until the next notice falls due, but no longer than another node's may wait, and never in a spin. */
async function pauseMs(broker: Broker): Promise<number> {
  const nextAtMs = await broker.store.read(async (tx) => tx.skillNotices.nextDueMs()).catch(() => undefined)
  const untilMs = (nextAtMs ?? Number.MAX_SAFE_INTEGER) - broker.store.now().nowMs
  return Math.max(PAUSE_LEAST_MS, Math.min(untilMs, LOOK_AGAIN_MS))
}

type Delivery = { row: SkillNoticeRow; loaded: LoadedManifest; url: string; leaf: PromisedLeaf }

async function deliverOne(broker: Broker, random: Random, seen: SkillNoticeRow): Promise<void> {
  const seal = await sealerFor(broker, noticeCells(seen))
  const delivery = await broker.store.transaction((tx) => begin(broker, tx, seal, seen), noticeOwner(seen))
  if (!delivery) return
  const reply = await send(broker, delivery)
  await settleNotice(broker, delivery.row, delivery.loaded, reply, random)
}

/**
 * Takes a notice for a while and logs that it goes out; undefined where it does not. The leaf is durable before the first
 * byte leaves, and the time it is taken for is what the next delivery waits if this process ends.
 */
async function begin(
  broker: Broker,
  tx: Tx,
  seal: LeafSealer,
  seen: SkillNoticeRow,
): Promise<Delivery | undefined> {
  if (!(await tx.skillNotices.claim(seen, tx.nowMs + LEASE_MS))) return undefined
  const row = await tx.skillNotices.find(seen.id, seen.userId)
  if (!row) return undefined
  if (tx.nowMs >= row.giveUpAtMs) {
    await giveUpInTx(tx, seal, row)
    return undefined
  }
  const loaded = await reachable(broker, tx, row)
  const url = loaded && deletionUrlOf(loaded.manifest)
  if (!loaded || url === undefined) throw new Error('a notice to a skill that has no place for it')
  const isLate = tx.nowMs >= row.dueAtMs && row.overdueAtMs === null
  const noted = isLate ? await markOverdueInTx(broker, tx, seal, row) : row
  if (await isFrozen(tx, row)) {
    await tx.skillNotices.update({ ...noted, nextAtMs: tx.nowMs + FROZEN_MS })
    return undefined
  }
  const attempts = noted.attempts + 1
  const leaf = seal(noticeLeaf(noted, 'sent', noted.reason, { core: { attempt: attempts } }), tx.nowMs)
  await tx.log.append(leaf, tx.nowMs)
  const sent: SkillNoticeRow = {
    ...noted,
    attempts,
    sentAtMs: noted.sentAtMs ?? tx.nowMs,
    sentEventId: leaf.eventId,
  }
  await tx.skillNotices.update(sent)
  return { row: sent, loaded, url, leaf: { eventId: leaf.eventId, leafHash: leaf.leafHash, atMs: tx.nowMs } }
}

/** The skill as it is now, where it still takes notices; else as it was when the notice was queued. */
async function reachable(broker: Broker, tx: Tx, row: SkillNoticeRow): Promise<LoadedManifest | undefined> {
  const current = (await tx.skills.find(row.skillId))?.currentDigest ?? null
  const now = current === null ? undefined : await broker.manifests.load(tx, current)
  if (now && deletionUrlOf(now.manifest) !== undefined) return now
  return broker.manifests.load(tx, row.manifestDigest)
}

/** Only a freeze that names clean-up calls stops a notice; of an erased person's only one that names no person. */
async function isFrozen(tx: Tx, { userId, agentId, skillId, publisherId }: SkillNoticeRow): Promise<boolean> {
  const freezes = await tx.freezes.matching([
    ...(userId === '' ? [] : [freezeIdOf('user', userId)]),
    ...(agentId === null ? [] : [freezeIdOf('agent', agentId)]),
    freezeIdOf('skill', skillId),
    freezeIdOf('publisher', publisherId),
    freezeIdOf('platform', '*'),
  ])
  return freezes.some(({ includesCleanUp }) => includesCleanUp)
}

async function send(broker: Broker, { row, url, leaf }: Delivery): Promise<SkillReply> {
  const promise = await promiseOf(broker, leaf)
  const token = await mintNotice(broker, row, url, leaf, promise)
  return broker.skills.call({
    endpoint: url,
    method: 'POST',
    body: Buffer.from(token, 'ascii'),
    headers: { 'content-type': NOTICE_MEDIA_TYPE, accept: NOTICE_MEDIA_TYPE },
    timeoutMs: TIMEOUT_MS,
    maxResponseBytes: MOST_RESPONSE_BYTES,
  })
}

function mintNotice(
  broker: Pick<Broker, 'signer' | 'settings' | 'store'>,
  row: SkillNoticeRow,
  url: string,
  leaf: PromisedLeaf,
  promise: string,
): Promise<string> {
  const { classes, executions, untilMs }: NoticeScope = JSON.parse(row.scope)
  const issuedAt = Math.floor(broker.store.now().nowMs / 1000)
  const claims: NoticeClaims = noticeClaims.parse({
    iss: broker.settings.issuer,
    aud: url,
    sub: row.pairwiseId,
    jti: randomUUID(),
    iat: issuedAt,
    exp: issuedAt + NOTICE_TTL_SECONDS,
    ntc: row.id,
    skl: row.skillId,
    rsn: row.reason as NoticeReason,
    cls: classes,
    ...(executions === undefined ? {} : { exe: executions }),
    ...(untilMs === undefined ? {} : { upt: Math.floor(untilMs / 1000) }),
    due: Math.floor(row.dueAtMs / 1000),
    lfh: leaf.leafHash.toString('base64url'),
    prm: promise,
  })
  return broker.signer.sign('notice', { typ: NOTICE_TYP }, claims)
}
