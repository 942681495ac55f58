/**
 * The key id a compact JWS claims, or an empty text. Only decides whether to look for newer keys; nothing is believed
 * before the signature is checked.
 */
export function claimedKeyId(token: string): string {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString('utf8'))
    if (typeof header !== 'object' || header === null || !('kid' in header)) return ''
    return typeof header.kid === 'string' ? header.kid : ''
  } catch {
    return ''
  }
}
