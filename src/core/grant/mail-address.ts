/** Quotes, comments, lists and display names make room for a second address; no mailbox people use needs them. */
const LOCAL_PART = /^[^\s\p{C}"'(),:;<>@[\\\]]{1,64}$/u
const DOMAIN_TEXT = /^[\p{L}\p{M}\p{N}-]+(\.[\p{L}\p{M}\p{N}-]+)+$/u
const ASCII_DOMAIN = /^([a-z0-9-]+\.)+[a-z][a-z0-9-]*$/

/** Returns a mail domain in lower-case ASCII (IDNA), or undefined if it is none. */
export function parseMailDomain(text: string): string | undefined {
  if (!DOMAIN_TEXT.test(text) || !URL.canParse(`https://${text}`)) return undefined
  const domain = new URL(`https://${text}`).hostname
  return ASCII_DOMAIN.test(domain) && domain.length <= 253 ? domain : undefined
}

/**
 * Returns the domain of one plain mail address, in lower-case ASCII; undefined if the text is anything else,
 * such as two addresses or one with a display name.
 */
export function domainOfMailAddress(text: string): string | undefined {
  const at = text.lastIndexOf('@')
  if (at < 1 || !LOCAL_PART.test(text.slice(0, at))) return undefined
  return parseMailDomain(text.slice(at + 1))
}
