import type { ConsentRequestRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import { askedLately, nextQuestionAtMs, refusalCoolsUntilMs } from './asked-lately.ts'
import type { Settings } from './broker.ts'

export type AskedAgain =
  | { kind: 'new' }
  | { kind: 'pending'; request: ConsentRequestRow; isNew: false }
  | { kind: 'cooling_down'; untilMs: number }
  | { kind: 'too_many_open' }

/**
 * Whether a question is one more, one that is open already, or one too many. A no to a consent request cools down for
 * all that is asked at this skill, a no to one exact action for every wish that names it; and a line of registrations is
 * one agent.
 *
 * An open question about a manifest that is no longer current can only be answered with no; the agent's new one
 * takes its place.
 *
 * @param termsTextAt the terms as they would have read at an instant: a default expiry depends on it.
 */
export async function askAgain(
  tx: Tx,
  settings: Settings,
  asked: {
    userId: string
    agentId: string
    lineageId: string
    skill: string
    actions: readonly string[]
    renewsGrantId?: string | undefined
  },
  manifestDigest: string,
  termsTextAt: (nowMs: number) => string,
): Promise<AskedAgain> {
  const { nowMs } = tx
  const lately = await askedLately(tx, settings, { ...asked, skillId: asked.skill })
  const open = lately.requests.filter((row) => row.status === 'pending' && nowMs < row.expiresAtMs)

  const current = open.filter((row) => row.manifestDigest === manifestDigest)
  const same = current.find(
    (row) =>
      row.agentId === asked.agentId &&
      row.renewsGrantId === (asked.renewsGrantId ?? null) &&
      row.terms === termsTextAt(row.createdAtMs),
  )
  if (same) return { kind: 'pending', request: same, isNew: false }

  const untilMs = Math.max(
    refusalCoolsUntilMs(lately, settings, new Set(asked.actions)),
    ...lately.requests.map((row) => coolUntilMs(row, settings)),
  )
  if (nowMs < untilMs) return { kind: 'cooling_down', untilMs }
  if (current.length >= settings.openQuestionsMost) return { kind: 'too_many_open' }
  const freeAtMs = nextQuestionAtMs(lately, settings, nowMs)
  if (nowMs < freeAtMs) return { kind: 'cooling_down', untilMs: freeAtMs }

  for (const row of open) {
    if (row.manifestDigest !== manifestDigest)
      await tx.consentRequests.decide(row.id, 'withdrawn', null, nowMs)
  }
  return { kind: 'new' }
}

function coolUntilMs(row: ConsentRequestRow, settings: Settings): number {
  return row.status === 'refused' && row.decidedAtMs !== null ? row.decidedAtMs + settings.coolDownMs : 0
}
