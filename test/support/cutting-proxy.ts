import { connect, createServer, type Socket } from 'node:net'

/** What becomes of the next COMMIT that passes. */
export type Cut =
  /** It never arrives, and the connection ends. */
  | 'before'
  /** It arrives, and the connection ends before anybody hears what came of it. */
  | 'after'
  | 'none'

export type CuttingProxy = {
  readonly port: number
  /** What becomes of each COMMIT from now on. @param times for how many of them. */
  cut(how: Cut, times?: number): void
  close(): Promise<void>
}

/** A network that loses exactly what a test wants lost: the answer to a COMMIT, or the COMMIT itself. */
export async function openCuttingProxy(port: number): Promise<CuttingProxy> {
  let how: Cut = 'none'
  let left = 0
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => open.delete(socket))
    }
    let isCut = false
    client.on('data', (bytes) => {
      if (isCut) return
      const at = bytes.indexOf('COMMIT\0')
      if (at < 0 || left === 0) {
        upstream.write(bytes)
        return
      }
      left -= 1
      isCut = true
      // A simple query: its type, four bytes of length, then the words.
      upstream.write(how === 'after' ? bytes : bytes.subarray(0, at - 5))
      client.destroy()
      // The server reads to the end and goes on with what it got.
      upstream.end()
    })
    upstream.on('data', (bytes) => {
      if (!isCut) client.write(bytes)
    })
    client.on('close', () => upstream.end())
    upstream.on('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    cut(next, times = 1) {
      how = next
      left = next === 'none' ? 0 : times
    },
    close() {
      for (const socket of open) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
