import { escapeToken, parsePointer, pointerOf } from '../json-pointer.ts'
import type { JsonValue } from '../json-value.ts'
import { isJsonArray, isJsonObject } from '../json-value.ts'
import type { ManifestAction } from '../manifest/manifest.ts'
import { findInputField } from './input-field.ts'
import type { Speaker } from './speaker.ts'
import { WORDS } from './words.ts'

/** One value of an argument or preview, in readable form, with the place it stands at. */
export type ShownValue = { readonly pointer: string; readonly label: string; readonly value: string }

/** Returns every value of a document, empty lists and objects too, so that nothing sent goes unseen. */
export function shownValues(
  speaker: Speaker,
  document: JsonValue,
  labelOf: (pointer: string) => string,
): ShownValue[] {
  const words = WORDS[speaker.locale]
  const show = (pointer: string, value: string) => [{ pointer, label: labelOf(pointer), value }]
  const visit = (value: JsonValue, pointer: string): ShownValue[] => {
    if (isJsonArray(value)) {
      if (value.length === 0) return show(pointer, words.emptyList)
      return value.flatMap((element, index) => visit(element, `${pointer}/${index}`))
    }
    if (isJsonObject(value)) {
      const members = Object.entries(value)
      // The document itself without members is no argument at all.
      if (members.length === 0) return pointer === '' ? [] : show(pointer, words.emptyObject)
      return members.flatMap(([name, member]) => visit(member, `${pointer}/${escapeToken(name)}`))
    }
    if (value === null) return show(pointer, words.nothing)
    if (typeof value === 'boolean') return show(pointer, value ? words.yes : words.no)
    if (typeof value === 'number') return show(pointer, String(value))
    return show(pointer, value === '' ? words.emptyText : speaker.quote(value))
  }
  return visit(document, '')
}

/**
 * Names an argument step by step, by titles where the manifest has them and by names else; entries of lists
 * are counted from one.
 */
export function argumentLabel(speaker: Speaker, action: ManifestAction, pointer: string): string {
  const tokens = parsePointer(pointer) ?? []
  const steps = tokens.map((token, index) => {
    const field = findInputField(action, pointerOf(tokens.slice(0, index + 1)))
    if (field?.title) return speaker.title(field.title)
    const parent = index === 0 ? undefined : findInputField(action, pointerOf(tokens.slice(0, index)))
    return parent?.schema.type === 'array' && /^\d+$/.test(token)
      ? `#${Number(token) + 1}`
      : speaker.quote(token)
  })
  return steps.join(' › ')
}
