import type { JsonValue } from '../../src/core/json-value.ts'
import type {
  BrokenCode,
  NotSentCode,
  SkillCall,
  SkillCaller,
  SkillReply,
} from '../../src/ports/skill-caller.ts'

export type Reply = (call: SkillCall, index: number) => SkillReply | Promise<SkillReply>

/** A skill that was called: every call is kept, and a script says what comes back. */
export type FakeSkill = SkillCaller & {
  readonly calls: SkillCall[]
  /** The bodies of the calls, parsed. */
  bodies(): JsonValue[]
  /** Answers every later call so, once the replies queued with `replyNext` are used up. */
  replyAlways(reply: Reply | SkillReply): void
  /** Answers the next call so; queued in order. */
  replyNext(...replies: (Reply | SkillReply)[]): void
}

/** An answer with a JSON body. */
export function answered(
  body: JsonValue,
  status = 200,
  headers: { retryAfter?: string; location?: string } = {},
): SkillReply {
  return {
    kind: 'answered',
    status,
    contentType: 'application/json',
    headers,
    body: Buffer.from(JSON.stringify(body)),
  }
}

export function notSent(code: NotSentCode = 'connect_failed'): SkillReply {
  return { kind: 'not_sent', code }
}

export function broken(code: BrokenCode = 'timed_out'): SkillReply {
  return { kind: 'broken', code }
}

export function createFakeSkill(): FakeSkill {
  const calls: SkillCall[] = []
  const queue: (Reply | SkillReply)[] = []
  let always: Reply | SkillReply = answered({})
  return {
    calls,
    bodies: () => calls.map((call) => JSON.parse(call.body.toString('utf8'))),
    replyAlways(reply) {
      always = reply
    },
    replyNext(...replies) {
      queue.push(...replies)
    },
    async call(request) {
      calls.push(request)
      const reply = queue.shift() ?? always
      return typeof reply === 'function' ? reply(request, calls.length - 1) : reply
    },
    async close() {},
  }
}
