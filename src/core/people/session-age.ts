import type { Person, SessionChannel } from './person.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** How long a session may rest, and how long it may last at all, in milliseconds. */
type Ages = { readonly idleMs: number; readonly absoluteMs: number }

/** An operator's session reaches everybody, so it lasts a working day; a terminal holds its credential in a file. */
const AGES: Readonly<Record<Person['kind'], Readonly<Record<SessionChannel, Ages>>>> = {
  user: {
    browser: { idleMs: 14 * DAY_MS, absoluteMs: 90 * DAY_MS },
    terminal: { idleMs: HOUR_MS, absoluteMs: HOUR_MS },
  },
  operator: {
    browser: { idleMs: 30 * MINUTE_MS, absoluteMs: 12 * HOUR_MS },
    terminal: { idleMs: 8 * HOUR_MS, absoluteMs: 8 * HOUR_MS },
  },
}

export type SessionTimes = {
  readonly kind: Person['kind']
  readonly channel: SessionChannel
  readonly signedInAtMs: number
  readonly lastSeenAtMs: number
}

/** When a session ends if nobody uses it from now on. Unix milliseconds. */
export function sessionEndsAtMs({ kind, channel, signedInAtMs, lastSeenAtMs }: SessionTimes): number {
  const { idleMs, absoluteMs } = AGES[kind][channel]
  return Math.min(lastSeenAtMs + idleMs, signedInAtMs + absoluteMs)
}

/** Whether a session is still good. One from the future is not: no clock of ours wrote it. */
export function isSessionAlive(times: SessionTimes, nowMs: number): boolean {
  return nowMs < sessionEndsAtMs(times)
}

/** Longest a session of this kind can last, which is what its cookie is given. Seconds. */
export function sessionSecondsMost(kind: Person['kind'], channel: SessionChannel): number {
  return AGES[kind][channel].absoluteMs / 1000
}
