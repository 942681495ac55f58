import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'

/** A server that answers with bytes instead of HTTP, so that it can do everything wrong. */
export interface RawServer {
  readonly origin: string
  readonly port: number
  /** The requests that arrived, head and body, in order. */
  readonly requests: string[]
  /** How many connections were accepted. */
  connections(): number
  close(): Promise<void>
}

/** Calls `onRequest` when a whole request with a Content-Length has arrived on a connection. */
export async function openRawServer(
  onRequest: (socket: Socket, request: string, nth: number) => void,
  onConnection: (socket: Socket) => void = () => {},
): Promise<RawServer> {
  const requests: string[] = []
  const sockets = new Set<Socket>()
  let accepted = 0
  const server = createServer((socket) => {
    accepted += 1
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? '0')
      if (end === -1 || text.length < end + 4 + length) return
      const request = text
      text = ''
      requests.push(request)
      onRequest(socket, request, requests.length)
    })
    onConnection(socket)
  })
  await listen(server)
  const { port } = addressOf(server)
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    requests,
    connections: () => accepted,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

/** Listens on a free loopback port. */
export function listen(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
}

export function addressOf(server: Server): AddressInfo {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening')
  return address
}

/** One HTTP answer with a JSON body. */
export function jsonAnswer(status: string, body: string, headers = ''): string {
  const head = `HTTP/1.1 ${status}\r\ncontent-type: application/json; charset=utf-8\r\n${headers}`
  return `${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}
