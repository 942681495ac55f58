/** What two URL parsers could read differently: blanks, controls and the backslash that WHATWG turns into `/`. */
const AMBIGUOUS = /[\s\p{C}\\]/u
const SAFE_HTTPS = /^https:\/\/[^/?#@]+([/?#]|$)/i
/** Dots, slashes and backslashes in percent-encoding, also encoded twice: a skill may decode once more. */
const HIDDEN_STEP = /%(25)*(2e|2f|5c)/i
const DOT_SEGMENT = /(^|[/?#])\.{1,2}([/?#]|$)/

/**
 * Parses an https URL that every parser reads alike (WHATWG URL); undefined for anything else.
 *
 * Refused besides other schemes: user information, even empty; backslashes, blanks and control characters;
 * and the spellings `https:host` and `https:/host`, which only some parsers accept.
 */
export function parseHttpsUrl(text: string): URL | undefined {
  if (AMBIGUOUS.test(text) || !SAFE_HTTPS.test(text) || !URL.canParse(text)) return undefined
  const url = new URL(text)
  return url.protocol === 'https:' && url.origin !== 'null' && url.hostname !== '' ? url : undefined
}

/** Returns the origin an allow-list entry means, or undefined if it says more or less than an origin. */
export function parseOrigin(text: string): string | undefined {
  const url = parseHttpsUrl(text)
  return url?.pathname === '/' && !/[?#]/.test(text) ? url.origin : undefined
}

/**
 * Returns the segments of a path, or of the path of an https URL, after WHATWG normalisation; undefined if
 * another reader could arrive elsewhere: `.` and `..`, encoded dots and slashes, backslashes, `//host`, and
 * `?` or `#` in a plain path, which a file system would read as part of a name.
 */
export function parsePathSegments(text: string): readonly string[] | undefined {
  if (AMBIGUOUS.test(text) || HIDDEN_STEP.test(text) || DOT_SEGMENT.test(text)) return undefined
  const isPlain = text.startsWith('/')
  if (isPlain && (text.startsWith('//') || /[?#]/.test(text))) return undefined
  const url = parseHttpsUrl(isPlain ? `https://path.invalid${text}` : text)
  if (!url) return undefined
  const segments = url.pathname.slice(1).split('/')
  return segments.at(-1) === '' ? segments.slice(0, -1) : segments
}

/** Returns the segments of a prefix in an allow-list, which is always a plain path; undefined if it is none. */
export function parsePathPrefix(text: string): readonly string[] | undefined {
  return text.startsWith('/') ? parsePathSegments(text) : undefined
}

/** Tells whether the first path is the second or lies below it, by whole segments. */
export function isUnderPath(segments: readonly string[], prefix: readonly string[]): boolean {
  return prefix.every((segment, index) => segments[index] === segment)
}
