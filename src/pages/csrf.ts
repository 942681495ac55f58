import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

const SECRET = /^[A-Za-z0-9_-]{22,128}$/

/** A secret for the cookie that ties forms to a browser nobody is signed in with. */
export function newFormSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** Whether a cookie's value can tie a form to a browser at all. */
export function isFormSecret(value: string | undefined): value is string {
  return value !== undefined && SECRET.test(value)
}

/**
 * The token each form posts back. Its key is the cookie's own value, which no other site can read or set, so every
 * node can check it and a new session makes old forms void.
 */
export function formToken(cookieValue: string): string {
  return createHmac('sha256', cookieValue).update('countersign/v1/form').digest('base64url')
}

/** Whether a posted token belongs to this cookie. */
export function isFormToken(token: string | undefined, cookieValue: string): boolean {
  const expected = Buffer.from(formToken(cookieValue))
  const given = Buffer.from(token ?? '')
  return given.byteLength === expected.byteLength && timingSafeEqual(given, expected)
}
