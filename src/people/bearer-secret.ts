import { hash, randomBytes } from 'node:crypto'

const SECRET = /^[A-Za-z0-9_-]{43}$/

/** A new secret of 256 random bits in base64url: a cookie, a link, a token. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** Whether a text has the form of such a secret; anything else needs no look-up. */
export function isSecret(text: string): boolean {
  return SECRET.test(text)
}

/** SHA-256 of a secret in base64url: what is kept of it, and what it is found by. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'base64url')
}
