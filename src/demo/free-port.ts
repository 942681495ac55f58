import { createServer } from 'node:net'

/**
 * Returns a port of loopback that nobody listens on; 0 asks for any. The broker's address is part of its name, so the
 * skills have to know it before it listens. Undefined when the port is taken.
 */
export function freePort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : undefined))
    })
  })
}
