import { z } from 'zod'
import { parsePrivateJwk } from '../../keys/publisher-key-file.ts'
import { SAMPLE_SKILLS } from './sample-skill.ts'
import { switchesShape } from './switches.ts'

/** What the parent of a skill process sends it: first `start`, then as many `set` as it likes. */
export const processOrder = z.discriminatedUnion('do', [
  z.strictObject({
    do: z.literal('start'),
    name: z.enum(SAMPLE_SKILLS),
    port: z.int(),
    broker: z.strictObject({ issuer: z.string(), keys: z.strictObject({ url: z.string() }) }),
    runtimeKey: z.unknown().transform((value, context) => {
      const key = parsePrivateJwk(value)
      if (key) return key
      context.addIssue('not a private key')
      return z.NEVER
    }),
    journalFile: z.string(),
  }),
  z.strictObject({ do: z.literal('set'), switches: switchesShape }),
])
export type ProcessOrder = z.input<typeof processOrder>

/** What it answers: that it listens, or that its switches are set. */
export const processReport = z.discriminatedUnion('did', [
  z.strictObject({ did: z.literal('start'), baseUrl: z.string() }),
  z.strictObject({ did: z.literal('set') }),
])
export type ProcessReport = z.infer<typeof processReport>
