import type { z } from 'zod'
import { pointerOf, readPointer } from '../core/json-pointer.ts'
import type { JsonValue } from '../core/json-value.ts'
import type { Fault } from './problem.ts'

/** More faults than this help nobody, and would make the answer larger than the question. */
const FAULTS_MOST = 20
const MESSAGE_CHARACTERS_MOST = 300

/** Says what a shape refused, with a JSON Pointer each. */
export function shapeFaults(error: z.ZodError, value: JsonValue | undefined): Fault[] {
  return error.issues
    .slice(0, FAULTS_MOST)
    .flatMap((issue) => faultsOf(issue, value))
    .slice(0, FAULTS_MOST)
}

function faultsOf(issue: z.core.$ZodIssue, value: JsonValue | undefined): Fault[] {
  const path = issue.path.map(String)
  const message = issue.message.slice(0, MESSAGE_CHARACTERS_MOST)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      pointer: pointerOf([...path, key]),
      code: 'unknown_field',
      message: 'This is not a field of the request.',
    }))
  }
  return [{ pointer: pointerOf(path), code: codeOf(issue, value), message }]
}

function codeOf(issue: z.core.$ZodIssue, value: JsonValue | undefined): string {
  switch (issue.code) {
    case 'invalid_type':
      return isMissing(issue.path, value) ? 'missing_field' : 'wrong_type'
    case 'too_big':
    case 'too_small':
      return 'out_of_range'
    case 'invalid_format':
      return 'wrong_format'
    case 'invalid_value':
      return 'not_one_of'
    default:
      return 'not_allowed'
  }
}

function isMissing(path: readonly PropertyKey[], value: JsonValue | undefined): boolean {
  return value === undefined || readPointer(value, pointerOf(path.map(String))) === undefined
}
