import { execFile, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort } from '../../src/demo/free-port.ts'

/** What others proxy with; they decide nothing and log nothing. Exactly these versions, so that figures compare. */
export const PROXIES = {
  'mcp-proxy': '6.7.19',
  '@civic/passthrough-mcp-server': '0.12.1',
  supergateway: '4.0.0',
} as const
export type ProxyName = keyof typeof PROXIES

export type Proxy = { readonly name: ProxyName; readonly url: string; stop(): Promise<void> }

/**
 * Installs the proxies into a folder of their own, with npm.
 *
 * @throws (rejects) Error saying what is missing: without a registry there is nothing to compare with.
 */
export async function installProxies(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}')
  const packages = Object.entries(PROXIES).map(([name, version]) => `${name}@${version}`)
  try {
    await promisify(execFile)(
      'npm',
      ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--save-exact', ...packages],
      { cwd: folder, timeout: 300_000 },
    )
  } catch (cause) {
    throw new Error(`npm could not install ${packages.join(', ')}: the comparison needs npm and a registry`, {
      cause,
    })
  }
}

/** Starts one of them in front of the server, each in the way it is meant to be used. */
export async function startProxy(name: ProxyName, folder: string, upstream: string): Promise<Proxy> {
  const port = await freePort(0)
  if (port === undefined) throw new Error('no port of 127.0.0.1 can be listened on')
  const { args, env } = howToStart(name, folder, upstream, port)
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { PATH: process.env.PATH, NODE_ENV: 'production', LOG_LEVEL: 'error', ...env },
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  // Whoever is stopped in the middle leaves none of them behind.
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  const url = `http://127.0.0.1:${port}/mcp`
  for (let attempt = 0; !(await isListening(url)); attempt += 1) {
    if (attempt > 200 || child.exitCode !== null) throw new Error(`${name} does not come up`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return {
    name,
    url,
    async stop() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 2_000)
      await ended
      clearTimeout(timer)
    },
  }
}

function howToStart(
  name: ProxyName,
  folder: string,
  upstream: string,
  port: number,
): { readonly args: string[]; readonly env: Record<string, string> } {
  const inFolder = (path: string) => join(folder, 'node_modules', path)
  switch (name) {
    case 'mcp-proxy': {
      const program = join(folder, 'http-to-http.mjs')
      writeFileSync(program, HTTP_TO_HTTP)
      return { args: [program], env: { UPSTREAM: upstream, PORT: String(port) } }
    }
    case '@civic/passthrough-mcp-server': {
      const env = {
        PORT: String(port),
        TARGET_SERVER_URL: new URL(upstream).origin,
        TARGET_SERVER_TRANSPORT: 'httpStream',
        TARGET_SERVER_MCP_PATH: '/mcp',
        SOURCE_SERVER_MCP_PATH: '/mcp',
      }
      return { args: [inFolder('@civic/passthrough-mcp-server/dist/cli.js')], env }
    }
    case 'supergateway': {
      const server = fileURLToPath(new URL('./note-stdio-worker.ts', import.meta.url))
      const flags = ['--outputTransport', 'streamableHttp', '--stateful', '--logLevel', 'none']
      return {
        args: [
          inFolder('supergateway/dist/index.js'),
          '--stdio',
          `${process.execPath} ${server}`,
          '--port',
          String(port),
          ...flags,
        ],
        env: {},
      }
    }
  }
}

/** Its command line fronts standard streams only; as a library it takes a client of any transport, one a session. */
const HTTP_TO_HTTP = `
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Server } from '@modelcontextprotocol/server'
import { proxyServer, startHTTPServer } from 'mcp-proxy'

await startHTTPServer({
  port: Number(process.env.PORT),
  host: '127.0.0.1',
  eventStore: false,
  createServer: async () => {
    const client = new Client({ name: 'mcp-proxy', version: '1' })
    await client.connect(new StreamableHTTPClientTransport(new URL(process.env.UPSTREAM)))
    const serverCapabilities = client.getServerCapabilities()
    const server = new Server(client.getServerVersion(), { capabilities: serverCapabilities })
    await proxyServer({ client, server, serverCapabilities })
    return server
  },
})
`

async function isListening(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(1_000) })
    await response.body?.cancel()
    return true
  } catch {
    return false
  }
}
