/**
 * Decodes standard base64 with padding (RFC 4648 section 4), or undefined if the text is anything else.
 * Node's decoder skips what it does not know, so only a text that encodes back to itself is accepted:
 * otherwise two different notes could carry one signature.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

/** Parses an ASCII decimal without sign or leading zeroes, up to 2^53−1; undefined for anything else. */
export function parseDecimal(text: string): number | undefined {
  if (!/^(0|[1-9][0-9]{0,15})$/.test(text)) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : undefined
}
