import { describe, expect, it } from 'vitest'
import { wholeIfQuick } from '../../src/mcp/whole-answer.ts'

const HEADERS = { 'content-type': 'text/event-stream', 'mcp-session-id': 's' }
const bytes = (text: string) => new TextEncoder().encode(text)

function streaming(start: (controller: ReadableStreamDefaultController<Uint8Array>) => void): Response {
  return new Response(new ReadableStream({ start }), { headers: HEADERS })
}

describe('an answer that is a stream of events', () => {
  it('is sent whole when its one event comes with the end', async () => {
    const whole = await wholeIfQuick(
      streaming((controller) => {
        controller.enqueue(bytes('data: 1\n\n'))
        controller.close()
      }),
    )
    expect(whole.headers.get('mcp-session-id')).toBe('s')
    expect(await whole.text()).toBe('data: 1\n\n')
  })

  it('loses nothing, and keeps the order, when more follows later', async () => {
    const answer = await wholeIfQuick(
      streaming((controller) => {
        controller.enqueue(bytes('data: 1\n\n'))
        setTimeout(() => {
          controller.enqueue(bytes('data: 2\n\n'))
          controller.enqueue(bytes('data: 3\n\n'))
          controller.close()
        }, 20)
      }),
    )
    expect(await answer.text()).toBe('data: 1\n\ndata: 2\n\ndata: 3\n\n')
  })

  it('is begun after a while when nothing comes, so that a client sees that it is worked on', async () => {
    let send: ReadableStreamDefaultController<Uint8Array> | undefined
    const answer = await wholeIfQuick(
      streaming((controller) => {
        send = controller
      }),
    )
    send?.enqueue(bytes('data: late\n\n'))
    send?.close()
    expect(await answer.text()).toBe('data: late\n\n')
  })

  it('may be empty', async () => {
    expect(await (await wholeIfQuick(streaming((controller) => controller.close()))).text()).toBe('')
  })

  it('tells whoever writes it that nobody reads on', async () => {
    let cancelled = false
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(bytes('data: 1\n\n')),
      cancel() {
        cancelled = true
      },
    })
    const answer = await wholeIfQuick(new Response(stream, { headers: HEADERS }))
    await answer.body?.cancel()
    expect(cancelled).toBe(true)
  })

  it('is left alone when it is no stream of events', async () => {
    const json = Response.json({ a: 1 })
    expect(await wholeIfQuick(json)).toBe(json)
  })
})
