import { connect, type Socket } from 'node:net'

/** Writes the next request into the buffer and returns its length in bytes. */
export type RequestSource = (into: Buffer) => number

/** A server, and the requests it is sent. */
export type Door = { readonly port: number; readonly next: RequestSource }

export type Load = {
  /** The nodes that answer; connections are dealt out among them in turn. */
  readonly doors: readonly Door[]
  /** Requests in flight at once, each on a connection of its own. */
  readonly inFlight: number
  /** What every answer has to be; anything else ends the measurement. */
  readonly expects: { readonly status: 200 | 201; readonly text: string }
}

export type Measured = {
  readonly perSecond: number
  /** Milliseconds from writing a request to having read its answer, in order of arrival. */
  readonly latenciesMs: readonly number[]
  /** Answers in all, those before the measurement too. */
  readonly answers: number
}

const REQUEST_BYTES_MOST = 8_192
const HEAD_END = Buffer.from('\r\n\r\n')

type Connection = { send(): void; close(): void }
type Handlers = { onAnswer(latencyMs: number): void; onFailure(error: Error): void }

/**
 * One keep-alive connection with one request in flight. Reads just enough HTTP to know where an answer ends, because
 * every cycle spent here is taken from the server on the same machine.
 */
function openConnection(
  { port, next }: Door,
  expects: Load['expects'],
  { onAnswer, onFailure }: Handlers,
): Connection {
  // The buffer is filled again only after the answer came, so its last contents have left by then.
  const request = Buffer.alloc(REQUEST_BYTES_MOST)
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let sentAtMs = 0
  let unread: Buffer | undefined
  let isClosing = false

  socket.on('data', (chunk) => {
    const received = unread === undefined ? chunk : Buffer.concat([unread, chunk])
    const answer = readAnswer(received, expects)
    if (answer === undefined) {
      unread = received
      return
    }
    unread = undefined
    if (answer.fault === undefined) onAnswer(performance.now() - sentAtMs)
    else onFailure(new Error(answer.fault))
  })
  socket.on('error', onFailure)
  socket.on('close', () => {
    if (!isClosing) onFailure(new Error('the server closed a connection'))
  })
  return {
    send() {
      const length = next(request)
      sentAtMs = performance.now()
      socket.write(request.subarray(0, length))
    },
    close() {
      isClosing = true
      socket.destroy()
    },
  }
}

/** Undefined while the answer is not complete. Anything but one whole answer as expected is a fault. */
function readAnswer(received: Buffer, expects: Load['expects']): { fault?: string } | undefined {
  const headEnd = received.indexOf(HEAD_END)
  if (headEnd < 0) return undefined
  const head = received.toString('latin1', 0, headEnd)
  const declared = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (declared === undefined) return { fault: `an answer without content-length: ${head}` }
  const missing = headEnd + HEAD_END.length + Number(declared) - received.length
  if (missing > 0) return undefined
  if (missing < 0) return { fault: 'more was answered than was asked' }
  const isExpected =
    head.startsWith(`HTTP/1.1 ${expects.status} `) && received.includes(expects.text, headEnd)
  return isExpected ? {} : { fault: received.toString('latin1') }
}

/**
 * Greets the server on one connection after the other and then keeps a request under way on each. Under load a server
 * accepts one connection a turn, which would take seconds and pass for latency.
 *
 * `onAnswer` is told of each answer and whether it is the one to a greeting, and says whether to go on. Rejects with
 * the first answer that is not as expected.
 */
function drive(load: Load, onAnswer: (latencyMs: number, isGreeting: boolean) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let isOver = false
    let greeted = 0
    const connections: Connection[] = []
    const end = (settle: () => void) => {
      if (isOver) return
      isOver = true
      for (const connection of connections) connection.close()
      settle()
    }
    const sendAfterGreeting = () => {
      greeted += 1
      const next = connections[greeted]
      if (next) next.send()
      else for (const connection of connections) connection.send()
    }
    for (let i = 0; i < load.inFlight; i += 1) {
      const door = load.doors[i % load.doors.length]
      if (door === undefined) throw new RangeError('nowhere to send to')
      const connection = openConnection(door, load.expects, {
        onAnswer(latencyMs) {
          if (isOver) return
          const isGreeting = greeted < load.inFlight
          if (!onAnswer(latencyMs, isGreeting)) end(resolve)
          else if (isGreeting) sendAfterGreeting()
          else connection.send()
        },
        onFailure: (error) => end(() => reject(error)),
      })
      connections.push(connection)
    }
    connections[0]?.send()
  })
}

/** Sends this many requests and measures nothing. */
export async function sendMany(load: Load, count: number): Promise<void> {
  let answered = 0
  await drive(load, () => {
    answered += 1
    return answered < count
  })
}

/** Measures for so long, beginning `warmMs` after every connection has had an answer. */
export async function measureLoad(load: Load, warmMs: number, measureMs: number): Promise<Measured> {
  const latenciesMs: number[] = []
  let answers = 0
  let warmAtMs: number | undefined
  let startedAtMs: number | undefined
  let endedAtMs = 0
  await drive(load, (latencyMs, isGreeting) => {
    answers += 1
    if (isGreeting) return true
    const nowMs = performance.now()
    warmAtMs ??= nowMs + warmMs
    if (startedAtMs === undefined) {
      if (nowMs >= warmAtMs) startedAtMs = nowMs
      return true
    }
    latenciesMs.push(latencyMs)
    endedAtMs = nowMs
    return nowMs - startedAtMs < measureMs
  })
  const perSecond = (latenciesMs.length / (endedAtMs - (startedAtMs ?? 0))) * 1000
  return { perSecond, latenciesMs, answers }
}
