import { CONSENT_PROBLEMS } from './consent-problems.ts'
import { ENFORCEMENT_PROBLEMS } from './enforcement-problems.ts'
import { MEMORY_PROBLEMS } from './memory-problems.ts'
import { NOTICE_PROBLEMS } from './notice-problems.ts'
import { REFUSAL_PROBLEMS } from './refusal-problems.ts'
import { REGISTRY_PROBLEMS } from './registry-problems.ts'
import { REQUEST_PROBLEMS } from './request-problems.ts'
import { REVOCATION_PROBLEMS } from './revocation-problems.ts'

/** Every problem the API answers. Codes are stable once released. */
export const PROBLEMS = {
  ...REQUEST_PROBLEMS,
  ...REFUSAL_PROBLEMS,
  ...CONSENT_PROBLEMS,
  ...REGISTRY_PROBLEMS,
  ...REVOCATION_PROBLEMS,
  ...NOTICE_PROBLEMS,
  ...ENFORCEMENT_PROBLEMS,
  ...MEMORY_PROBLEMS,
}

export type ProblemCode = keyof typeof PROBLEMS

export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEMS, code)
}
