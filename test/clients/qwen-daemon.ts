import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { freePort } from '../../src/demo/free-port.ts'
import type { QwenHome } from './qwen-home.ts'
import { type Running, startProgram } from './run-program.ts'

/** What became of one tool call, as `qwen serve` tells its clients. */
export type ToolUpdate = { readonly tool: string; readonly status: string; readonly text: string }

export type QwenDaemon = {
  readonly running: Running
  /** Sends a prompt and waits until the turn has ended; tells what became of each tool call. */
  prompt(text: string): Promise<ToolUpdate[]>
}

const eventShape = z.looseObject({
  type: z.string(),
  data: z
    .looseObject({
      update: z
        .looseObject({
          toolCallId: z.string().optional(),
          status: z.string().optional(),
          content: z.unknown(),
          _meta: z.looseObject({ toolName: z.string().optional() }).optional(),
        })
        .optional(),
    })
    .optional(),
})
type Event = z.infer<typeof eventShape>

/** Starts `qwen serve` and opens a session in it. */
export async function startQwenServe(
  qwen: string,
  home: QwenHome,
  about: { readonly args: readonly string[]; readonly guardToken: string },
): Promise<QwenDaemon> {
  const port = (await freePort(0)) ?? 0
  const running = startProgram(
    qwen,
    [...['serve', '--port', String(port), '--no-web', '--initialize-timeout-ms', '90000'], ...about.args],
    {
      env: { ...home.env, QWEN_CODE_EXTERNAL_TOOL_GUARD_TOKEN: about.guardToken },
      cwd: home.project,
    },
  )
  onTestFinished(() => running.stop())
  const base = `http://127.0.0.1:${port}`
  await untilHealthy(base, running)
  const sessionId = await openSession(base, running)
  const events: Event[] = []
  const stopped = new AbortController()
  onTestFinished(() => stopped.abort())
  void listen(`${base}/session/${sessionId}/events`, stopped.signal, events)

  return {
    running,
    async prompt(text) {
      const from = events.length
      const sent = await post(`${base}/session/${sessionId}/prompt`, { prompt: [{ type: 'text', text }] })
      if (!sent.ok) throw new Error(`prompt answered ${sent.status}: ${await sent.text()}`)
      for (const untilMs = performance.now() + 120_000; performance.now() < untilMs; ) {
        const turn = events.slice(from)
        if (turn.some(({ type }) => type === 'turn_complete')) return toolUpdates(turn)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      throw new Error(`the turn does not end: ${running.text().slice(-3_000)}`)
    },
  }
}

function toolUpdates(events: readonly Event[]): ToolUpdate[] {
  const ended = new Map<string, ToolUpdate>()
  for (const { data } of events) {
    const { toolCallId, status = '', content, _meta } = data?.update ?? {}
    if (toolCallId === undefined || (status !== 'completed' && status !== 'failed')) continue
    ended.set(toolCallId, { tool: _meta?.toolName ?? '', status, text: textIn(content) })
  }
  return [...ended.values()]
}

const blockShape = z.looseObject({ content: z.looseObject({ text: z.string() }) })

function textIn(content: unknown): string {
  return z
    .array(z.unknown())
    .catch([])
    .parse(content)
    .map((block) => blockShape.safeParse(block).data?.content.text ?? '')
    .join('\n')
    .trim()
}

async function untilHealthy(base: string, { text, child }: Running): Promise<void> {
  for (const untilMs = performance.now() + 90_000; performance.now() < untilMs; ) {
    const healthy = await fetch(`${base}/health`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (healthy) return
    if (child.exitCode !== null) break
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error(`qwen serve is not there: ${text().slice(-3_000)}`)
}

/** The daemon may still be preparing when it is asked first. */
async function openSession(base: string, { text }: Running): Promise<string> {
  let said = ''
  for (const untilMs = performance.now() + 120_000; performance.now() < untilMs; ) {
    const response = await post(`${base}/session`, {})
    said = await response.text()
    const parsed = z.looseObject({ sessionId: z.string() }).safeParse(JSON.parse(said))
    if (response.ok && parsed.success) return parsed.data.sessionId
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  }
  throw new Error(`no session: ${said} ${text().slice(-3_000)}`)
}

async function listen(url: string, signal: AbortSignal, events: Event[]): Promise<void> {
  try {
    const response = await fetch(url, { signal, headers: { accept: 'text/event-stream' } })
    const decoder = new TextDecoder()
    let text = ''
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true })
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines.filter((one) => one.startsWith('data: {'))) {
        const parsed = eventShape.safeParse(JSON.parse(line.slice('data: '.length)))
        if (parsed.success) events.push(parsed.data)
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

function post(url: string, body: object): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}
