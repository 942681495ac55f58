import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import type { TokenStore } from './agent-tokens.ts'
import { pause } from './pause.ts'

const fileShape = z.object({
  clientId: z.string(),
  accessToken: z.string(),
  refreshToken: z.string().nullable(),
  expiresAtMs: z.number(),
})

const LOOK_AGAIN_MS = 50
/** A refresh ends within half a minute; whoever held the lock for longer is gone. */
const LOCK_MS_MOST = 60_000

/**
 * Keeps tokens in a file that its owner alone may read. It is replaced as a whole, so that a crash leaves the old tokens
 * or the new ones. A file that holds something else counts as none. Several processes of one agent may share it: a lock
 * beside it lets one of them refresh at a time.
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
    exclusive: (work) => underLock(`${path}.lock`, work),
  }
}

async function underLock<Value>(lock: string, work: () => Promise<Value>): Promise<Value> {
  while (!(await take(lock))) {
    if (await isLeftBehind(lock)) await rm(lock, { force: true })
    else await pause(LOOK_AGAIN_MS)
  }
  try {
    return await work()
  } finally {
    await rm(lock, { force: true })
  }
}

/** True where it is ours now. A folder nothing can be written in has no lock, and the work goes on without one. */
async function take(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { mode: 0o600, flag: 'wx' })
    return true
  } catch (error) {
    const isHeld = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    return !isHeld
  }
}

async function isLeftBehind(lock: string): Promise<boolean> {
  const found = await stat(lock).catch(() => undefined)
  return found !== undefined && Date.now() - found.mtimeMs > LOCK_MS_MOST
}
