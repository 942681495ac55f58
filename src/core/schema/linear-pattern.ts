import { RE2JS } from 're2js'

/** A pattern from a stranger that is matched in time linear in the text. */
export type LinearPattern = {
  readonly source: string
  /** Steps of the compiled program; matching may take this many for each character. */
  readonly size: number
  /** True when the pattern matches anywhere in the text, as JSON Schema 2020-12 section 6.3.3 says. */
  readonly test: (text: string) => boolean
}

export const MAX_PATTERN_CHARS = 256
/** Matching costs at most this many steps for each character. */
export const MAX_PROGRAM_SIZE = 512

export type PatternFaultCode = 'pattern_too_long' | 'pattern_too_complex' | 'pattern_not_linear'

const compiled = new Map<string, LinearPattern>()

/**
 * Compiles a pattern for RE2, which never backtracks: `^(a+)+$` costs no more than any other. What RE2 cannot
 * do in linear time (back-references, look-around) is refused.
 *
 * Patterns are kept by their source, each under its own: validators that key all custom patterns alike
 * let the first one stand for every other.
 */
export function compilePattern(source: string): LinearPattern | { readonly fault: PatternFaultCode } {
  const known = compiled.get(source)
  if (known) return known
  if (source.length > MAX_PATTERN_CHARS) return { fault: 'pattern_too_long' }
  let expression: RE2JS
  try {
    expression = RE2JS.compile(source)
  } catch {
    return { fault: 'pattern_not_linear' }
  }
  const size = expression.programSize()
  if (size > MAX_PROGRAM_SIZE) return { fault: 'pattern_too_complex' }
  const pattern: LinearPattern = { source, size, test: (text) => expression.test(text) }
  // Manifests come and go; dropping the whole cache now and then costs less than keeping every pattern.
  if (compiled.size >= 1000) compiled.clear()
  compiled.set(source, pattern)
  return pattern
}
