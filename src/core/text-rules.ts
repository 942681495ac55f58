import { escapeToken } from './json-pointer.ts'
import type { JsonValue } from './json-value.ts'
import { isJsonArray, isJsonObject } from './json-value.ts'

export type TextFaultCode =
  | 'lone_surrogate'
  | 'not_nfc'
  | 'control_character'
  | 'bidi_control'
  | 'invisible_character'

export type TextFault = { readonly pointer: string; readonly code: TextFaultCode }

/** `plain` is every field but those marked as free text, where people write lines and emoji. */
export type TextKind = 'plain' | 'free_text'

const PRINTABLE_ASCII = /^[ -~]*$/
const CONTROL = /[\p{Cc}\u2028\u2029]/u
const CONTROL_IN_FREE_TEXT = /[^\P{Cc}\n\t]/u
const BIDI = /\p{Bidi_Control}/u
/** Zero-width, tag and filler characters, variation selectors, blanks, private use and noncharacters. */
const INVISIBLE =
  /[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\p{Co}\u2800\ufff9-\ufffb\u{13430}-\u{1343f}]/u

/**
 * Returns why a text is refused in arguments, or undefined.
 *
 * Two texts that look alike to a person must be equal to a machine: no text that is not NFC, no controls,
 * no reordering, nothing invisible. Free text keeps newline, tab, bidi and invisible characters.
 */
export function checkText(text: string, kind: TextKind): TextFaultCode | undefined {
  if (PRINTABLE_ASCII.test(text)) return undefined
  if (!text.isWellFormed()) return 'lone_surrogate'
  if (text.normalize('NFC') !== text) return 'not_nfc'
  if (kind === 'free_text') return CONTROL_IN_FREE_TEXT.test(text) ? 'control_character' : undefined
  if (CONTROL.test(text)) return 'control_character'
  if (BIDI.test(text)) return 'bidi_control'
  return INVISIBLE.test(text) ? 'invisible_character' : undefined
}

/**
 * Returns the faults of every string and name in a value.
 *
 * @param isFreeText told the JSON Pointer of a string; names are never free text.
 */
export function checkTexts(value: JsonValue, isFreeText: (pointer: string) => boolean): TextFault[] {
  const faults: TextFault[] = []
  const check = (text: string, pointer: string, kind: TextKind) => {
    const code = checkText(text, kind)
    if (code) faults.push({ pointer, code })
  }
  const visit = (at: JsonValue, pointer: string) => {
    if (typeof at === 'string') check(at, pointer, isFreeText(pointer) ? 'free_text' : 'plain')
    else if (isJsonArray(at))
      for (const [index, element] of at.entries()) visit(element, `${pointer}/${index}`)
    else if (isJsonObject(at)) {
      for (const [name, member] of Object.entries(at)) {
        const memberPointer = `${pointer}/${escapeToken(name)}`
        check(name, memberPointer, 'plain')
        visit(member, memberPointer)
      }
    }
  }
  visit(value, '')
  return faults
}

const ODD_CHARACTER =
  /\p{Bidi_Control}|[\p{Cc}\p{Cs}\p{Co}\u2028\u2029\u2800\ufff9-\ufffb\u{13430}-\u{1343f}]|[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]|‹(?=U\+)/gu
const ODD_BESIDES_LINES = new RegExp(`(?![\\n\\t])(?:${ODD_CHARACTER.source})`, 'gu')

/**
 * Shows characters that a page or terminal would hide or obey as `‹U+202E›`, so that a person sees exactly
 * what is sent. A real `‹U+` in the text is shown escaped too: nothing can imitate the notation.
 *
 * @param lines `keep` leaves newline and tab, for free text shown in a block of its own.
 */
export function visibleText(text: string, lines: 'show' | 'keep' = 'show'): string {
  return text.replace(lines === 'keep' ? ODD_BESIDES_LINES : ODD_CHARACTER, (character) => {
    const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase()
    return `‹U+${hex.padStart(4, '0')}›`
  })
}
