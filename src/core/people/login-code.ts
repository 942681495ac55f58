/** No vowels and nothing that looks like something else, so that a code spells no word and is read out well. */
const ALPHABET = 'BCDFGHJKMNPQRSTVWXZ'
const CHARACTERS = 8

/**
 * Spells the code a terminal prints and a page asks to compare, such as `BCDF-GHJK`. Some 34 bits, for 10 minutes.
 *
 * @param random 8 numbers below 19.
 */
export function spellLoginCode(random: readonly number[]): string {
  const text = random.map((n) => ALPHABET[n]).join('')
  if (text.length !== CHARACTERS) throw new RangeError('a login code takes 8 numbers below 19')
  return `${text.slice(0, 4)}-${text.slice(4)}`
}

/** How many characters there are to choose from. */
export const LOGIN_CODE_BASE = ALPHABET.length

/** A code as typed, in the form it is hashed in; undefined if it cannot be one. */
export function normalLoginCode(typed: string): string | undefined {
  const text = typed.toUpperCase().replace(/[\s-]/g, '')
  return text.length === CHARACTERS && [...text].every((c) => ALPHABET.includes(c)) ? text : undefined
}
