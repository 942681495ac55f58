import { z } from 'zod'

/** Ways in which a sample skill can be made to fail, each for one of its actions. */
export const switchesShape = z.strictObject({
  /** Cuts the connection or kills the process instead of answering, with the work done or not even begun. */
  dieOn: z
    .strictObject({
      action: z.string(),
      how: z.enum(['socket', 'process']),
      when: z.enum(['before', 'after']),
    })
    .optional(),
  /** Waits, with the work done, before it answers. */
  slow: z.strictObject({ action: z.string(), ms: z.int().min(0) }).optional(),
  /** Takes more than was agreed. */
  overcharge: z.strictObject({ action: z.string(), byMinor: z.int() }).optional(),
  /** Does the work and answers something the result schema does not know. */
  wrongShape: z.string().optional(),
  /** Says no with this code. */
  refuse: z.strictObject({ action: z.string(), code: z.string() }).optional(),
  /** Does the work and answers 202: accepted, ask again. */
  acceptLater: z.string().optional(),
  /** Status calls are told that the outcome is not known yet. */
  undecided: z.boolean().optional(),
  /** Notices are answered without deleting: with a 500, without a signature, with "later", or with a no. */
  notices: z.enum(['fail', 'unsigned', 'later', 'refuse']).optional(),
})

export type Switches = z.infer<typeof switchesShape>
