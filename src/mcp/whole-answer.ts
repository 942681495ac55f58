/** An answer that comes within this is sent whole; a client that waits longer sees that it is being worked on. */
const WITHIN_MS = 250

type Chunk = Awaited<ReturnType<ReadableStreamDefaultReader<Uint8Array>['read']>>

/**
 * Turns a stream of events that is over at once into an answer of one piece. Most calls are: one event, and the end. As a
 * stream each takes three writes and as many reads, which is a good part of what a call costs; whole it takes one.
 */
export async function wholeIfQuick(response: Response): Promise<Response> {
  const { body, status, headers } = response
  if (!body || !headers.get('content-type')?.startsWith('text/event-stream')) return response
  const reader: ReadableStreamDefaultReader<Uint8Array> = body.getReader()
  const first = reader.read()
  const early = await inTime(first)
  // One turn later, the end that follows a last event has come too.
  const second = early && !early.done ? reader.read() : first
  const end = early?.done ? early : early && (await thisTurn(second))
  if (early && end?.done) return new Response(early.value ?? null, { status, headers })
  const rest = early && !early.done ? [early.value] : []
  return new Response(continued(reader, rest, early ? second : first), { status, headers })
}

async function inTime(chunk: Promise<Chunk>): Promise<Chunk | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), WITHIN_MS)
  })
  try {
    return await Promise.race([chunk, late])
  } finally {
    clearTimeout(timer)
  }
}

function thisTurn(chunk: Promise<Chunk>): Promise<Chunk | undefined> {
  return Promise.race([chunk, new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined)))])
}

/** What was read already, and then the rest as it comes. */
function continued(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  read: readonly Uint8Array[],
  next: Promise<Chunk>,
): ReadableStream<Uint8Array> {
  let coming: Promise<Chunk> | undefined = next
  return new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of read) controller.enqueue(chunk)
    },
    async pull(controller) {
      const { done, value } = await (coming ?? reader.read())
      coming = undefined
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel: (reason) => reader.cancel(reason),
  })
}
