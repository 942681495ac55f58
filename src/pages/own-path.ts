const CHARACTERS_MOST = 4_096

/**
 * A path of this origin that a person may be sent on to, or the fallback. Anything a browser could read as another
 * origin (`//host`, `/\host`, a scheme, control characters) is not one.
 */
export function ownPath(next: string | undefined, fallback: string): string {
  if (next === undefined || next.length > CHARACTERS_MOST) return fallback
  // Printable ASCII without space, backslash and the like: what URLs are made of.
  if (!/^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(next)) return fallback
  const base = 'https://here.invalid'
  if (!URL.canParse(next, base)) return fallback
  const url = new URL(next, base)
  if (url.origin !== base || url.pathname.startsWith('//')) return fallback
  return `${url.pathname}${url.search}`
}
