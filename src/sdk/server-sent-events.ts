/** Characters one event may have; a call's arguments may come in one piece. */
const EVENT_CHARACTERS_MOST = 4_000_000

/**
 * The data of each event of a `text/event-stream` body, however its bytes are cut (WHATWG HTML, section 9.2.6).
 *
 * @throws TypeError for bytes that are not UTF-8 and RangeError for an event without end; what breaks a body, otherwise.
 */
export async function* serverSentEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const reader = body.getReader()
  let rest = ''
  let data: string[] = []
  try {
    for (;;) {
      const { done, value } = await reader.read()
      rest += done ? decoder.decode() : decoder.decode(value, { stream: true })
      // A carriage return at the end may be the first half of a line's end.
      const lines = rest.split(done ? /\r\n|\n|\r/ : /\r\n|\n|\r(?!$)/)
      rest = lines.pop() ?? ''
      for (const line of lines) {
        if (line.startsWith('data:')) data.push(line.slice(line.startsWith('data: ') ? 6 : 5))
        if (line !== '') continue
        if (data.length > 0) yield data.join('\n')
        data = []
      }
      if (rest.length + data.join('').length > EVENT_CHARACTERS_MOST)
        throw new RangeError('an event is too long')
      // An event that was not ended by an empty line is dropped, as the standard has it.
      if (done) return
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}
