import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

export type ReceivedMail = {
  readonly from: string
  readonly to: readonly string[]
  /** Header lines by lower-case name, unfolded. */
  readonly headers: ReadonlyMap<string, string>
  /** The body, decoded from base64 where it is. */
  readonly text: string
  /** What came between DATA and the dot, as it was. */
  readonly raw: string
}

export type SmtpServer = {
  readonly url: string
  readonly received: ReceivedMail[]
  /** Answers the next RCPT or DATA so, in place of a yes. */
  refuseNext(at: 'RCPT' | 'DATA', reply: string): void
  close(): Promise<void>
}

/** A mail server as RFC 5321 has it, as much of it as one sender needs; on this machine, without TLS. */
export async function startSmtpServer(): Promise<SmtpServer> {
  const received: ReceivedMail[] = []
  const refusals = new Map<string, string>()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy())
    serve(socket, received, refusals)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `smtp://127.0.0.1:${address.port}`,
    received,
    refuseNext: (at, reply) => void refusals.set(at, reply),
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function serve(socket: Socket, received: ReceivedMail[], refusals: Map<string, string>): void {
  let text = ''
  let data: string[] | null = null
  let from = ''
  let to: string[] = []
  const reply = (line: string) => socket.write(`${line}\r\n`)
  const unless = (at: string, yes: string) => {
    const refusal = refusals.get(at)
    refusals.delete(at)
    reply(refusal ?? yes)
    return refusal === undefined
  }
  reply('220 mail.test ESMTP')
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
    for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
      const line = text.slice(0, end)
      text = text.slice(end + 2)
      if (data) {
        if (line !== '.') {
          data.push(line.replace(/^\.\./, '.'))
          continue
        }
        received.push(parseMail(from, to, data))
        data = null
        reply('250 kept')
        continue
      }
      const verb = line.split(/[ :]/)[0]?.toUpperCase()
      if (verb === 'EHLO' || verb === 'HELO') reply('250 mail.test')
      else if (verb === 'MAIL') {
        from = /<(.*?)>/.exec(line)?.[1] ?? ''
        to = []
        reply('250 ok')
      } else if (verb === 'RCPT') {
        if (unless('RCPT', '250 ok')) to.push(/<(.*?)>/.exec(line)?.[1] ?? '')
      } else if (verb === 'DATA') {
        if (unless('DATA', '354 go on')) data = []
      } else if (verb === 'QUIT') {
        reply('221 bye')
        socket.end()
      } else reply('250 ok')
    }
  })
}

function parseMail(from: string, to: readonly string[], lines: readonly string[]): ReceivedMail {
  const gap = lines.indexOf('')
  const headers = new Map<string, string>()
  const unfolded = lines
    .slice(0, gap)
    .join('\r\n')
    .replace(/\r\n[ \t]+/g, ' ')
  for (const line of unfolded.split('\r\n')) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    if (headers.has(name)) throw new Error(`${name} stands twice`)
    headers.set(name, line.slice(colon + 1).trim())
  }
  const body = lines.slice(gap + 1).join('\r\n')
  const isBase64 = headers.get('content-transfer-encoding') === 'base64'
  const text = isBase64 ? Buffer.from(body, 'base64').toString('utf8') : body
  return { from, to, headers, text, raw: lines.join('\r\n') }
}
