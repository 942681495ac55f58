import type { IncomingMessage } from 'node:http'
import { readCookies, setCookie, wireName } from '../pages/cookies.ts'

/** Connections a browser may be in the middle of. */
const OPEN_MOST = 5

/**
 * The cookie that says which connections this browser began. Whoever was sent the link of somebody else's must not be
 * able to say yes to it: the answer would go to the one who began.
 */
export function withBegun(request: IncomingMessage, uid: string, isSecure: boolean, maxAgeSeconds: number) {
  const before = begunIn(readCookies(request.headers.cookie ?? null).get(wireName('connect', isSecure)))
  const value = [uid, ...before.filter((other) => other !== uid)].slice(0, OPEN_MOST).join('.')
  return setCookie('connect', value, { isSecure, maxAgeSeconds })
}

/** Whether this browser began the connection. */
export function hasBegun(cookie: string | undefined, uid: string): boolean {
  return begunIn(cookie).includes(uid)
}

function begunIn(cookie: string | undefined): string[] {
  return (cookie ?? '').split('.').filter((uid) => /^[A-Za-z0-9_-]{16,64}$/.test(uid))
}
