import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import type { PrivateJwk } from '../keys/detached-jws.ts'
import { generatePublisherKey, parsePrivateJwk } from '../keys/publisher-key-file.ts'
import { SAMPLE_SKILLS, type SampleSkillName } from './skills/sample-skill.ts'

/** What belongs to the people behind a sample skill, and never to the broker. */
export interface SkillKeys {
  readonly publisherKey: PrivateJwk
  readonly runtimeKey: PrivateJwk
}

const privateKey = z.unknown().transform((value, context) => {
  const key = parsePrivateJwk(value)
  if (key) return key
  context.addIssue('not a private key')
  return z.NEVER
})
const fileShape = z.record(z.string(), z.strictObject({ publisherKey: privateKey, runtimeKey: privateKey }))

/**
 * Reads the keys of the sample skills, and makes fresh ones where there are none: the first time, and in every fresh
 * folder. A folder that is kept needs the same ones again, because its broker knows their publishers.
 */
export async function openDemoKeys(file: string): Promise<ReadonlyMap<SampleSkillName, SkillKeys>> {
  const known = existsSync(file) ? fileShape.parse(JSON.parse(readFileSync(file, 'utf8'))) : {}
  const keys = new Map<SampleSkillName, SkillKeys>()
  for (const name of SAMPLE_SKILLS) {
    keys.set(
      name,
      known[name] ?? { publisherKey: await generatePublisherKey(), runtimeKey: await generatePublisherKey() },
    )
  }
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  writeFileSync(file, JSON.stringify(Object.fromEntries(keys)), { mode: 0o600 })
  return keys
}
