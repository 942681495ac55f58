import type { CookieName } from './page.ts'

const COOKIES_MOST = 50

/**
 * What a cookie is called on the wire. `__Host-` keeps other hosts of the domain from setting it (RFC 6265bis section
 * 4.1.3) and takes https; on plain-http loopback, where it cannot be set, a name of its own is used.
 */
export function wireName(name: CookieName, isSecure: boolean): string {
  if (name === 'lang') return 'lang'
  if (isSecure) return `__Host-${name}`
  return name === 'countersign' ? 'countersign-dev' : `${name}-dev`
}

/** A `Set-Cookie` value for one of our cookies; out of reach of scripts and never sent from another site's form. */
export function setCookie(
  name: CookieName,
  value: string,
  { isSecure, maxAgeSeconds }: { isSecure: boolean; maxAgeSeconds?: number },
): string {
  const age = maxAgeSeconds === undefined ? '' : `; Max-Age=${maxAgeSeconds}`
  return `${wireName(name, isSecure)}=${value}; Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}${age}`
}

/** A `Set-Cookie` value that makes a browser forget one of our cookies. */
export function clearCookie(name: CookieName, isSecure: boolean): string {
  return setCookie(name, '', { isSecure, maxAgeSeconds: 0 })
}

/** Cookies of a request by wire name; of one sent twice, neither. */
export function readCookies(header: string | null): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>()
  const twice = new Set<string>()
  for (const pair of (header ?? '').split(';').slice(0, COOKIES_MOST)) {
    const at = pair.indexOf('=')
    if (at < 0) continue
    const name = pair.slice(0, at).trim()
    if (cookies.has(name)) twice.add(name)
    cookies.set(name, pair.slice(at + 1).trim())
  }
  for (const name of twice) cookies.delete(name)
  return cookies
}
