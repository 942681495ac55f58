import { canonicalJson, digestOf } from '../canonical-json.ts'
import { pointerOf } from '../json-pointer.ts'
import type { JsonValue } from '../json-value.ts'
import type { JsonFaultCode } from '../strict-json.ts'
import { parseStrictJson } from '../strict-json.ts'
import { checkTexts, type TextFaultCode } from '../text-rules.ts'
import { type Manifest, manifestShape } from './manifest.ts'
import { errorAt, type ManifestFault } from './manifest-fault.ts'

export type ParsedManifest =
  | {
      readonly ok: true
      readonly manifest: Manifest
      /** base64url SHA-256 of the canonical text. */
      readonly digest: string
      /** RFC 8785 text: what the publisher's signature covers. */
      readonly canonical: string
    }
  | { readonly ok: false; readonly faults: readonly ManifestFault[] }

const LIMITS = { maxBytes: 262_144, maxDepth: 32, maxMembers: 20_000 }

/** Beyond this many faults of shape a list helps nobody. */
const FAULTS_MAX = 100

/**
 * Parses a manifest as strictly as its signature needs: two readers must never see two manifests in one text.
 * Says nothing of what the manifest means; that is `lintManifest`.
 */
export function parseManifest(text: string): ParsedManifest {
  const json = parseStrictJson(text, LIMITS)
  if (!json.ok)
    return { ok: false, faults: [errorAt(json.pointer, json.code, json.detail, JSON_MENDS[json.code])] }
  return parseManifestValue(json.value)
}

/** Parses a manifest that a surface has already read from strict JSON, inside a larger body for example. */
export function parseManifestValue(value: JsonValue): ParsedManifest {
  const canonical = canonicalJson(value)
  // The limits hold for the form that is signed too: a value may come from a body with wider limits.
  const again = parseStrictJson(canonical, LIMITS)
  if (!again.ok)
    return { ok: false, faults: [errorAt(again.pointer, again.code, again.detail, JSON_MENDS[again.code])] }

  const shaped = manifestShape.safeParse(value)
  if (!shaped.success) {
    const faults = shaped.error.issues.slice(0, FAULTS_MAX).map((issue) => {
      const path = issue.path.map(String)
      return issue.code === 'unrecognized_keys'
        ? unknownField(path, issue.keys)
        : errorAt(pointerOf(path), 'wrong_shape', issue.message, 'give this field the form the message names')
    })
    return { ok: false, faults }
  }
  const texts = checkTexts(value, () => false).slice(0, FAULTS_MAX)
  if (texts.length > 0)
    return { ok: false, faults: texts.map((fault) => textFault(fault.pointer, fault.code)) }
  return { ok: true, manifest: shaped.data, digest: digestOf(value), canonical }
}

function unknownField(path: readonly string[], keys: readonly string[]): ManifestFault {
  return errorAt(
    pointerOf([...path, ...keys.slice(0, 1)]),
    'unknown_field',
    `there is no field ${keys.map((key) => JSON.stringify(key)).join(', ')} here`,
    'remove it, or correct its spelling: what nobody reads must not be signed',
  )
}

/** Everything in a manifest may be shown to a person, so nothing in it may be hidden or reordered. */
function textFault(pointer: string, code: TextFaultCode): ManifestFault {
  return errorAt(
    pointer,
    code,
    TEXT_MESSAGES[code],
    'write it with visible characters, normalized to NFC, on one line',
  )
}

const TEXT_MESSAGES: { readonly [code in TextFaultCode]: string } = {
  lone_surrogate: 'the text holds half of a surrogate pair',
  not_nfc: 'the text is not in Unicode normalization form C',
  control_character: 'the text holds a control character or a line break',
  bidi_control: 'the text holds a character that changes the direction in which it is shown',
  invisible_character: 'the text holds an invisible character',
}

const JSON_MENDS: { readonly [code in JsonFaultCode]: string } = {
  malformed_json: 'correct the JSON at this position',
  duplicate_key: 'keep one of the two: readers differ in which one they take',
  lone_surrogate: 'write the character as a whole, not as half of an escape pair',
  too_deep: `keep objects and arrays within ${LIMITS.maxDepth} levels`,
  too_large: `keep the manifest within ${LIMITS.maxBytes} bytes and ${LIMITS.maxMembers} members`,
  number_not_exact: 'write a number that a double holds exactly, or a string',
}
