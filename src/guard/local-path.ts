/** Backslashes separate on some systems and not on others; controls are in no name a person could read. */
const NOT_PLAIN = /[\\\p{Cc}\u2028\u2029]/u
/** `..` and `.` as a pattern can also write them. */
const DOTS_WRITTEN_OUT = /^(?=.*\.)(?:[.[\]()@+!|-]|[?*](?=\())*$/
/** What one pattern may stand for; more is refused rather than looked through. */
const SPELLINGS_MOST = 500

/**
 * The one spelling of a path that is decided about: absolute, every segment a name. Undefined for whatever another
 * reader could take for another place: relative paths, since nobody tells the guard where they start, `..` and `.`, `//`,
 * backslashes, controls.
 *
 * Only the text is looked at. A link in the file system leads where it leads: whoever may create links below a folder
 * that is allowed reaches what they point to.
 */
export function localPath(text: string): string | undefined {
  if (!text.startsWith('/') || NOT_PLAIN.test(text)) return undefined
  if (text === '/') return text
  const path = text.endsWith('/') ? text.slice(0, -1) : text
  return path.slice(1).split('/').every(isName) ? path : undefined
}

/** Whether a glob pattern stays below the folder it is searched from, whichever of its alternatives is taken. */
export function staysBelow(pattern: string): boolean {
  if (NOT_PLAIN.test(pattern)) return false
  const spellings = expandBraces(pattern)
  // A colon begins the magic of git's patterns, such as `:/` for the top of the repository.
  return spellings?.every((one) => !/^[/~:]/.test(one) && one.split('/').every(isNameOrGap)) ?? false
}

function isName(segment: string): boolean {
  return segment !== '' && segment !== '.' && segment !== '..'
}

/** An empty segment in a pattern leads nowhere else; a class or group of one dot may be taken for the dot. */
function isNameOrGap(segment: string): boolean {
  return segment === '' || (isName(segment) && !DOTS_WRITTEN_OUT.test(segment))
}

/**
 * Every pattern that one with alternatives in braces stands for; undefined where they are too many, do not close, or are
 * a range, whose meaning differs between readers.
 */
function expandBraces(pattern: string): string[] | undefined {
  const done: string[] = []
  const left = [pattern]
  while (left.length > 0) {
    if (left.length + done.length > SPELLINGS_MOST) return undefined
    const next = left.pop() ?? ''
    // The innermost braces first: those with no other within them.
    const group = /\{([^{}]*)\}/.exec(next)
    if (!group) {
      if (/[{}]/.test(next)) return undefined
      done.push(next)
      continue
    }
    const [whole, inside = ''] = group
    const alternatives = inside.split(',')
    if (alternatives.length === 1) return undefined
    const before = next.slice(0, group.index)
    const after = next.slice(group.index + whole.length)
    left.push(...alternatives.map((one) => before + one + after))
  }
  return done
}
