import { lstatSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { parseStrictJson } from '../core/strict-json.ts'
import type { LinkClients } from '../ports/link-clients.ts'

const visible = z.string().regex(/^[\x21-\x7e]{1,500}$/)
/** Skill id, then the link's id, then the client. */
const shape = z.record(
  z.string(),
  z.record(z.string(), z.strictObject({ clientId: visible, clientSecret: visible.optional() })),
)

/** The file cannot be used as it is; the message says what to do and quotes nothing of it. */
export class LinkClientsBroken extends Error {
  override name = 'LinkClientsBroken'
}

export const NO_LINK_CLIENTS: LinkClients = { find: () => undefined }

/**
 * Reads the broker's OAuth clients at skills.
 *
 * @throws LinkClientsBroken when the file is missing, open to other users, or not of that form.
 */
export function openLinkClients(path: string): LinkClients {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (!found?.isFile()) throw new LinkClientsBroken(`${path} is no regular file`)
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0)
    throw new LinkClientsBroken(`${path} is open to other users of this machine: run chmod 600 ${path}`)
  const json = parseStrictJson(readFileSync(path, 'utf8'))
  const parsed = json.ok ? shape.safeParse(json.value) : undefined
  if (!parsed?.success)
    throw new LinkClientsBroken(
      `${path} must be JSON of the form {"skill.id": {"link": {"clientId": "…", "clientSecret": "…"}}}`,
    )
  const clients = new Map(
    Object.entries(parsed.data).map(([skillId, links]) => [skillId, new Map(Object.entries(links))]),
  )
  return { find: (skillId, link) => clients.get(skillId)?.get(link) }
}
