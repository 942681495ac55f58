import { z } from 'zod'
import { plainJson } from '../core/manifest/manifest-change.ts'
import { checkText, checkTexts } from '../core/text-rules.ts'

/** A line that people read: no controls, nothing invisible or reordered, and not blank. */
export function plainText(maxLength: number) {
  return z
    .string()
    .max(maxLength)
    .refine((text) => checkText(text, 'plain') === undefined, {
      message: 'must be plain text: composed characters, nothing hidden, no line breaks',
    })
    .refine((text) => text.trim() !== '', { message: 'must not be blank' })
}

/** Adds a fault for every text and name in a value that hides something or is spelled in two ways. */
export function refuseOddTexts(value: unknown, ctx: z.RefinementCtx): void {
  for (const { pointer, code } of checkTexts(plainJson(value), () => false)) {
    ctx.addIssue({ code: 'custom', path: pointer.split('/').slice(1), message: code })
  }
}
