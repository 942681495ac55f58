import { lstatSync, readFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { z } from 'zod'
import { parseStrictJson } from '../core/strict-json.ts'
import type { McpAccess, McpAccesses } from '../ports/mcp-access.ts'

const visible = z.string().regex(/^[\x21-\x7e]{1,4096}$/)

/** Skill id, then one way in. A command is an absolute path: what PATH finds is not for a manifest or a shell to say. */
const shape = z.record(
  z.string(),
  z.union([
    z.strictObject({ bearer: visible }),
    z.strictObject({
      header: z.strictObject({ name: z.string().regex(/^[A-Za-z0-9-]{1,64}$/), value: visible }),
    }),
    z.strictObject({
      clientCredentials: z.strictObject({
        tokenEndpoint: z.url(),
        clientId: visible,
        clientSecret: visible,
        scope: z
          .string()
          .regex(/^[\x20-\x7e]{1,500}$/)
          .optional(),
      }),
    }),
    z.strictObject({
      command: z.string().refine(isAbsolute),
      args: z.array(z.string()).max(64).optional(),
      env: z.record(z.string(), z.string()).optional(),
    }),
  ]),
)

/** The file cannot be used as it is; the message says what to do and quotes nothing of it. */
export class McpSkillsBroken extends Error {
  override name = 'McpSkillsBroken'
}

export const NO_MCP_ACCESS: McpAccesses = { find: () => undefined }

/**
 * Reads how the broker gets in at MCP skills, and which of them it starts itself.
 *
 * @param maySpawn whether the operator allowed programs to be started; otherwise an entry with a command is refused.
 * @throws McpSkillsBroken when the file is missing, open to other users, not of that form, or starts what may not be.
 */
export function openMcpAccess(path: string, maySpawn: boolean): McpAccesses {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (!found?.isFile()) throw new McpSkillsBroken(`${path} is no regular file`)
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0)
    throw new McpSkillsBroken(`${path} is open to other users of this machine: run chmod 600 ${path}`)
  const json = parseStrictJson(readFileSync(path, 'utf8'))
  const parsed = json.ok ? shape.safeParse(json.value) : undefined
  if (!parsed?.success)
    throw new McpSkillsBroken(
      `${path} must be JSON of the form {"skill.id": {"bearer": "…"}}, with "header", "clientCredentials" or an absolute "command" in place of "bearer"`,
    )
  const accesses = new Map(Object.entries(parsed.data).map(([skillId, entry]) => [skillId, accessOf(entry)]))
  const spawned = [...accesses].find(([, access]) => access.kind === 'command')
  if (spawned && !maySpawn)
    throw new McpSkillsBroken(
      `${path} starts a program for ${spawned[0]}: that takes COUNTERSIGN_STDIO_SKILLS=1, and a broker on loopback`,
    )
  return { find: (skillId) => accesses.get(skillId) }
}

function accessOf(entry: z.infer<typeof shape>[string]): McpAccess {
  if ('bearer' in entry) return { kind: 'bearer', token: entry.bearer }
  if ('header' in entry) return { kind: 'header', ...entry.header }
  if ('clientCredentials' in entry) {
    const { scope = null, ...client } = entry.clientCredentials
    return { kind: 'client_credentials', ...client, scope }
  }
  return { kind: 'command', command: entry.command, args: entry.args ?? [], env: entry.env ?? {} }
}
