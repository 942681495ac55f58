const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const CHARACTERS = 26
const GROUP = 5

/** How many codes a person is given at once. */
export const RECOVERY_CODES = 10

/**
 * Spells a recovery code: 128 random bits in Crockford base32, in groups that can be read out.
 *
 * @param random 16 bytes.
 */
export function spellRecoveryCode(random: Uint8Array): string {
  if (random.length !== 16) throw new RangeError('a recovery code takes 128 random bits')
  let value = 0n
  for (const byte of random) value = (value << 8n) | BigInt(byte)
  let text = ''
  for (let i = 0; i < CHARACTERS; i++) {
    text = ALPHABET[Number(value & 31n)] + text
    value >>= 5n
  }
  return text.match(new RegExp(`.{1,${GROUP}}`, 'g'))?.join('-') ?? text
}

/**
 * A code as a person typed it, in the one form it is hashed in: without gaps, in lower case, with the letters that
 * look like digits read as those. Undefined if it cannot be one.
 */
export function normalRecoveryCode(typed: string): string | undefined {
  if (typed.length > 100) return undefined
  const text = typed
    .toLowerCase()
    .replace(/[\s\u2010-\u2015-]/g, '')
    .replace(/o/g, '0')
    .replace(/[il]/g, '1')
  return text.length === CHARACTERS && [...text].every((c) => ALPHABET.includes(c)) ? text : undefined
}
