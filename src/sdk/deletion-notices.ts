import {
  NOTICE_MEDIA_TYPE,
  type NoticeFault,
  type VerifiedNotice,
  verifyNotice,
} from '../core/notice/notice-token.ts'
import { type BrokerKeyDeps, type BrokerKeyOption, openBrokerKeys } from './broker-keys.ts'
import { claimedKeyId } from './claimed-key-id.ts'
import { createMemoryReplayStore, type ReplayStore } from './replay-store.ts'
import { type DeletionAnswer, signAcknowledgement } from './sign-acknowledgement.ts'
import type { SkillSigningKey } from './sign-skill-receipt.ts'

export interface DeletionNoticeOptions {
  /** The broker, exactly as it names itself. */
  readonly issuer: string
  /** The URL notices are sent to, as the manifest spells it: base URL and the path under `deletion`. */
  readonly url: string
  readonly keys: BrokerKeyOption
  /** One of the manifest's runtime keys. */
  readonly signingKey: SkillSigningKey
  /** Refuses a delivery that came before. Default: in memory, for a skill that is one process. */
  readonly replayStore?: ReplayStore
  readonly clockSkewSeconds?: number
  readonly now?: () => number
  readonly fetch?: BrokerKeyDeps['fetch']
}

/**
 * Deletes what a notice names, of the one person it names, and says what became of it. It is called again for the same
 * notice if it threw, refused or answered `later`, and after a restart: deleting twice must be deleting once.
 */
export type DeleteMemory = (notice: VerifiedNotice) => Promise<DeletionAnswer | { readonly status: 'later' }>

export interface ReceivedNotice {
  readonly method: string
  readonly contentType: string
  /** The bytes as received. */
  readonly body: Uint8Array
}

export interface NoticeReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface DeletionNotices {
  /** Answers one delivery. Rejects with nothing: what goes wrong while deleting is a 500, and comes again. */
  answer(request: ReceivedNotice): Promise<NoticeReply>
}

/** Longer than any notice by far. */
export const NOTICE_BYTES_MOST = 65_536
/** Answers that are remembered, so that a notice that comes again is answered again and not carried out again. */
const REMEMBERED_MOST = 10_000

/**
 * Makes the answer to deletion notices: only what the broker's notice key signed, for this URL, now, once, is carried
 * out, and the answer is signed with the skill's own key, which is what makes it count.
 */
export function createDeletionNotices(
  options: DeletionNoticeOptions,
  deleteMemory: DeleteMemory,
): DeletionNotices {
  const now = options.now ?? Date.now
  const findKeys = openBrokerKeys(options.keys, { fetch: options.fetch ?? fetch, now })
  const replayStore = options.replayStore ?? createMemoryReplayStore({ now })
  const answers = new Map<string, Promise<DeletionAnswer | { status: 'later' }>>()

  async function verify(token: string): Promise<VerifiedNotice | NoticeReply> {
    const keys = await findKeys(claimedKeyId(token))
    if (!keys) return refused(503, 'keys_unavailable')
    const verdict = verifyNotice(token, {
      issuer: options.issuer,
      audience: options.url,
      keys,
      nowMs: now(),
      clockSkewSeconds: options.clockSkewSeconds ?? 5,
    })
    if (!verdict.ok) return refused(401, verdict.code)
    try {
      const isNew = await replayStore.remember(verdict.notice.deliveryId, verdict.notice.expiresAtMs)
      return isNew ? verdict.notice : refused(401, 'replayed')
    } catch {
      return refused(503, 'replay_store_unavailable')
    }
  }

  /** Carries a notice out once; a second delivery waits for the first. What did not end it is forgotten. */
  function carryOut(notice: VerifiedNotice): Promise<DeletionAnswer | { status: 'later' }> {
    const before = answers.get(notice.noticeId)
    if (before) return before
    const [oldest] = answers.keys()
    if (answers.size >= REMEMBERED_MOST && oldest !== undefined) answers.delete(oldest)
    const running = deleteMemory(notice)
    answers.set(notice.noticeId, running)
    const forget = () => {
      if (answers.get(notice.noticeId) === running) answers.delete(notice.noticeId)
    }
    running.then(({ status }) => {
      if (status === 'later' || status === 'refused') forget()
    }, forget)
    return running
  }

  return {
    async answer({ method, contentType, body }) {
      if (method !== 'POST') return refused(405, 'method_not_allowed', { allow: 'POST' })
      if (mediaType(contentType) !== NOTICE_MEDIA_TYPE) return refused(415, 'not_a_notice')
      if (body.byteLength > NOTICE_BYTES_MOST) return refused(413, 'body_too_large')
      const notice = await verify(Buffer.from(body).toString('latin1').trim())
      if ('headers' in notice) return notice
      try {
        const answer = await carryOut(notice)
        if (answer.status === 'later') return refused(202, 'accepted')
        return {
          status: 200,
          headers: { 'content-type': NOTICE_MEDIA_TYPE, 'cache-control': 'no-store' },
          body: signAcknowledgement(options.signingKey, notice, answer, now()),
        }
      } catch {
        return refused(500, 'internal_error')
      }
    },
  }
}

type ReplyCode =
  | NoticeFault
  | 'method_not_allowed'
  | 'not_a_notice'
  | 'body_too_large'
  | 'keys_unavailable'
  | 'replayed'
  | 'replay_store_unavailable'
  | 'accepted'
  | 'internal_error'

function refused(status: number, code: ReplyCode, headers: Record<string, string> = {}): NoticeReply {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(status === 202 ? { status: code } : { error: { code } }),
  }
}

function mediaType(contentType: string): string {
  return (contentType.split(';')[0] ?? '').trim().toLowerCase()
}
