import { lstatSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { parseStrictJson } from '../core/strict-json.ts'
import type { SkillSecrets } from '../ports/secrets.ts'

/** Skill id, then JSON Pointer of the field, then the secret. */
const shape = z.record(z.string(), z.record(z.string().startsWith('/'), z.string().min(1)))

/** The file cannot be used as it is; the message says what to do and quotes nothing of it. */
export class SkillSecretsBroken extends Error {
  override name = 'SkillSecretsBroken'
}

export const NO_SECRETS: SkillSecrets = { find: () => undefined }

/**
 * Reads what skills want filled in and agents never see: `{"pay.transfer": {"/payment_token": "…"}}`.
 *
 * @throws SkillSecretsBroken when the file is missing, open to other users, or not of that form.
 */
export function openSkillSecrets(path: string): SkillSecrets {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (!found?.isFile()) throw new SkillSecretsBroken(`${path} is no regular file`)
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) {
    throw new SkillSecretsBroken(`${path} is open to other users of this machine: run chmod 600 ${path}`)
  }
  const json = parseStrictJson(readFileSync(path, 'utf8'))
  const parsed = json.ok ? shape.safeParse(json.value) : undefined
  if (!parsed?.success) {
    throw new SkillSecretsBroken(`${path} must be JSON of the form {"skill.id": {"/pointer": "secret"}}`)
  }
  const secrets = new Map(
    Object.entries(parsed.data).map(([skillId, fields]) => [skillId, new Map(Object.entries(fields))]),
  )
  return { find: (skillId, pointer) => secrets.get(skillId)?.get(pointer) }
}
