/** Backslashes separate on some systems and not on others; controls are in no name a person could read. */
const NOT_PLAIN = /[\\\p{Cc}\u2028\u2029]/u

/**
 * The one spelling of a path that is decided about: absolute, every segment a name. Undefined for whatever another
 * reader could take for another place: `..` and `.` within a path, `//`, `~`, backslashes, controls.
 *
 * Only the text is looked at. A link in the file system leads where it leads: whoever may create links below a folder
 * that is allowed reaches what they point to.
 *
 * @param workspace what relative paths start from; absolute.
 */
export function localPath(text: string, workspace: string): string | undefined {
  if (text === '' || text === '.') return workspace
  if (NOT_PLAIN.test(text) || text.startsWith('~')) return undefined
  const isAbsolute = text.startsWith('/')
  const trimmed = text.length > 1 && text.endsWith('/') ? text.slice(0, -1) : text
  if (trimmed === '/') return '/'
  const segments = (isAbsolute ? trimmed.slice(1) : trimmed).split('/')
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) return undefined
  const below = segments.join('/')
  if (isAbsolute) return `/${below}`
  return workspace === '/' ? `/${below}` : `${workspace}/${below}`
}

/** Whether a pattern stays below the folder it is searched from. */
export function staysBelow(pattern: string): boolean {
  if (NOT_PLAIN.test(pattern) || /^[/~]/.test(pattern)) return false
  // Braces can put a step up together, as `{.,}.` does.
  return (
    !/(^|[/{,])\.\.?([/},]|$)/.test(pattern) &&
    !/\{[^}]*\.[^}]*\}\.|\.\{[^}]*\.[^}]*\}|\.\{[^}]*,\}/.test(pattern)
  )
}
