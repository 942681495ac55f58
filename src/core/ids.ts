/** The prefix says what an id names, so that a wrong one is seen at a glance. */
export const ID_PREFIXES = {
  action: 'act',
  agent: 'agt',
  approval: 'apr',
  budget: 'bud',
  channel: 'chn',
  consentRequest: 'crq',
  erasure: 'ers',
  enforcementPoint: 'enp',
  enforcementCredential: 'enc',
  event: 'evt',
  eventDelivery: 'evd',
  grant: 'grt',
  incident: 'inc',
  node: 'nod',
  linkedAccount: 'lnk',
  memory: 'mem',
  message: 'msg',
  notice: 'ntc',
  recipient: 'rcp',
  revocation: 'rvk',
  session: 'ses',
  undoJob: 'udj',
  user: 'usr',
} as const
export type IdKind = keyof typeof ID_PREFIXES

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

const ORDER_CHARACTERS = 9
const RANDOM_CHARACTERS = 26

/**
 * Spells an id: prefix, underscore, 9 Crockford base32 characters of an order, 26 of 128 random bits. Ids made one
 * after another lie side by side in an index, which is what makes many inserts in one commit cheap.
 *
 * @param order below 2^45, such as Unix milliseconds.
 */
export function idOf(kind: IdKind, order: number, random: Uint8Array): string {
  if (random.length !== 16) throw new RangeError('an id takes 128 random bits')
  return `${ID_PREFIXES[kind]}_${spellOrder(order)}${spellBytes(random)}`
}

/** Tells whether a text has the form of an id of this kind; anything else cannot name one of ours. */
export function isId(kind: IdKind, text: string): boolean {
  return new RegExp(`^${ID_PREFIXES[kind]}_[${ALPHABET}]{${ORDER_CHARACTERS + RANDOM_CHARACTERS}}$`).test(
    text,
  )
}

function spellOrder(order: number): string {
  let rest = order
  let text = ''
  for (let i = 0; i < ORDER_CHARACTERS; i++) {
    text = ALPHABET[rest % 32] + text
    rest = Math.floor(rest / 32)
  }
  return text
}

function spellBytes(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let value = 0
  for (const byte of bytes) {
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
