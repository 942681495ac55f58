import { hash } from 'node:crypto'
import { visibleText } from '../core/text-rules.ts'

/** Characters of one text that a person is shown and the log keeps; the rest is held by its digest. */
export const SHOWN_CHARACTERS_MOST = 4_000

export type ShownText = {
  readonly text: string
  /** False where the text goes on. */
  readonly isWhole: boolean
}

/**
 * A text as a person can read it: odd characters are written out, and what is too long is cut. It stands beside the
 * digest of the exact text, which is what a yes is bound to.
 */
export function shownText(exact: string): ShownText {
  const readable = visibleText(exact.slice(0, 2 * SHOWN_CHARACTERS_MOST), 'keep').normalize('NFC')
  const text = readable.slice(0, SHOWN_CHARACTERS_MOST)
  const isWhole = readable.length <= SHOWN_CHARACTERS_MOST && exact.length <= 2 * SHOWN_CHARACTERS_MOST
  // A cut may go through a character of two units.
  return { text: text.isWellFormed() ? text : text.slice(0, -1), isWhole }
}

/** SHA-256 of exact texts, each with its length, so that no two lists of texts meet. */
export function digestOf(...exact: readonly string[]): string {
  const all = exact.map((text) => `${Buffer.byteLength(text)}\n${text}`).join('')
  return hash('sha256', all, 'base64url')
}
