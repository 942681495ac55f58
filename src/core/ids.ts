/** The prefix says what an id names, so that a wrong one is seen at a glance. */
export const ID_PREFIXES = {
  action: 'act',
  agent: 'agt',
  approval: 'apr',
  budget: 'bud',
  consentRequest: 'crq',
  event: 'evt',
  grant: 'grt',
  incident: 'inc',
  recipient: 'rcp',
  session: 'ses',
  user: 'usr',
} as const
export type IdKind = keyof typeof ID_PREFIXES

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/** Spells 16 random bytes as an id: prefix, underscore, 26 Crockford base32 characters. */
export function idOf(kind: IdKind, random: Uint8Array): string {
  if (random.length !== 16) throw new RangeError('an id takes 128 random bits')
  let text = `${ID_PREFIXES[kind]}_`
  let bits = 0
  let value = 0
  for (const byte of random) {
    value = (value << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET[(value >>> bits) & 31]
    }
    value &= (1 << bits) - 1
  }
  return text + ALPHABET[(value << (5 - bits)) & 31]
}

/** Tells whether a text has the form of an id of this kind; anything else cannot name one of ours. */
export function isId(kind: IdKind, text: string): boolean {
  return new RegExp(`^${ID_PREFIXES[kind]}_[${ALPHABET}]{26}$`).test(text)
}
