import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import type { TokenStore } from './agent-tokens.ts'

const fileShape = z.object({
  clientId: z.string(),
  accessToken: z.string(),
  refreshToken: z.string().nullable(),
  expiresAtMs: z.number(),
})

/**
 * Keeps tokens in a file that its owner alone may read. It is replaced as a whole, so that a crash leaves the old tokens
 * or the new ones. A file that holds something else counts as none.
 */
export function fileTokenStore(path: string): TokenStore {
  return {
    async load() {
      try {
        const parsed = fileShape.safeParse(JSON.parse(await readFile(path, 'utf8')))
        return parsed.success ? parsed.data : undefined
      } catch {
        return undefined
      }
    },
    async save(tokens) {
      if (!tokens) return rm(path, { force: true })
      const next = `${path}.${randomUUID()}`
      await writeFile(next, JSON.stringify(tokens), { mode: 0o600, flag: 'wx' })
      await rename(next, path)
    },
  }
}
