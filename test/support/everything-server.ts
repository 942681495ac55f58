import { spawn } from 'node:child_process'
import { createServer } from 'node:net'

const MAIN = new URL(
  '../../node_modules/@modelcontextprotocol/server-everything/dist/index.js',
  import.meta.url,
).pathname

export const EVERYTHING_COMMAND = [process.execPath, MAIN] as const

export type EverythingServer = { readonly url: string; readonly origin: string; stop(): Promise<void> }

/** The protocol's own example server, as npm has it, on a port of its own. */
export async function startEverythingServer(): Promise<EverythingServer> {
  const port = await freePort()
  const child = spawn(process.execPath, [MAIN, 'streamableHttp'], {
    env: { PATH: process.env.PATH, PORT: String(port) },
    stdio: 'ignore',
  })
  const origin = `http://127.0.0.1:${port}`
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  for (let attempt = 0; !(await isListening(origin)); attempt += 1) {
    if (attempt > 200 || child.exitCode !== null) throw new Error('the server does not come up')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return {
    url: `${origin}/mcp`,
    origin,
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function isListening(origin: string): Promise<boolean> {
  try {
    await fetch(origin, { method: 'HEAD' })
    return true
  } catch {
    return false
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
