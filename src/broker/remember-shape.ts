import { z } from 'zod'
import { SKILL_ID } from '../core/manifest/manifest.ts'
import { KEY_CHARACTERS_MOST, PURPOSE_CHARACTERS_MOST } from '../core/memory/memory-limits.ts'
import { checkText } from '../core/text-rules.ts'
import { plainText } from './plain-text.ts'

/** Characters of a content at most, whatever the platform allows in bytes. */
const CONTENT_CHARACTERS_MOST = 262_144

/** What an agent says of something that it wants to be remembered. */
export const rememberShape = z.strictObject({
  skill: z.string().max(64).regex(SKILL_ID),
  /** A memory class of the skill's manifest. */
  class: z.string().min(1).max(48),
  /** A data category of the class; may be left out where the class has one only. */
  category: z.string().min(1).max(48).optional(),
  /** What it is kept for; its user reads this. */
  purpose: plainText(PURPOSE_CHARACTERS_MOST),
  /** The name it is recalled by. An item of the same agent, skill, class and key is replaced. */
  key: plainText(KEY_CHARACTERS_MOST).optional(),
  content: z
    .string()
    .min(1)
    .max(CONTENT_CHARACTERS_MOST)
    .refine((text) => checkText(text, 'free_text') === undefined, {
      message: 'must be text: composed characters, no controls but tab and line break',
    }),
  /** The id of the agent's own action it came of. */
  originActionId: z.string().min(1).max(64).optional(),
  /** Until when it is wanted; as long as is allowed if left out, which is never for ever. Unix milliseconds. */
  expiresAtMs: z.int().min(0).optional(),
  /** Ends with the session, in 12 hours at most. */
  sessionOnly: z.boolean().optional(),
})
export type Remember = z.infer<typeof rememberShape>
