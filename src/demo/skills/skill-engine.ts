import { amountOf } from '../../core/decision/amount-of.ts'
import type { VerifiedCall } from '../../core/execution/verify-action-token.ts'
import { setPointer } from '../../core/json-pointer.ts'
import type { JsonValue } from '../../core/json-value.ts'
import type { LoadedAction, LoadedManifest } from '../../core/manifest/loaded-manifest.ts'
import type { VerifiedNotice } from '../../core/notice/notice-token.ts'
import { parseStrictJsonBytes } from '../../core/strict-json.ts'
import type { DeletionAnswer } from '../../sdk/sign-acknowledgement.ts'
import { type SkillSigningKey, type SkillStatement, signSkillReceipt } from '../../sdk/sign-skill-receipt.ts'
import type { Execution, ExecutionBook } from './execution-book.ts'
import type { SkillAnswer, SkillDefinition } from './skill-definition.ts'
import type { Switches } from './switches.ts'

export interface SkillReply {
  readonly httpStatus: number
  readonly body: string
}

export interface SkillEngine {
  /** Carries out one verified call. Never throws for what a caller sends. */
  call(action: LoadedAction, call: VerifiedCall, body: Uint8Array): SkillReply
  /** Deletes what a notice asks for. */
  forget(manifest: LoadedManifest, notice: VerifiedNotice): DeletionAnswer
}

export interface EngineDeps {
  readonly book: ExecutionBook
  readonly key: SkillSigningKey
  readonly now: () => number
  readonly switches: () => Switches
}

type Outcome = Pick<Execution, 'status' | 'taken' | 'httpStatus' | 'answer'>

/**
 * Makes the part of a sample skill that has nothing to do with HTTP: same key, same answer; arguments checked
 * against its own manifest; the work written down before it is answered for; receipts.
 *
 * Calls run one after another without waiting for anything, so two can never interleave.
 */
export function createSkillEngine<State, Event>(
  definition: SkillDefinition<State, Event>,
  deps: EngineDeps,
): SkillEngine {
  const { book, key } = deps
  let state = rebuilt()

  function rebuilt(): State {
    const fresh = definition.newState()
    for (const entry of book.all()) {
      for (const event of entry.events) definition.apply(fresh, definition.event.parse(event))
    }
    return fresh
  }

  function run(action: LoadedAction, call: VerifiedCall, args: JsonValue, nowMs: number): SkillAnswer<Event> {
    const { refuse, overcharge, undecided } = deps.switches()
    const name = action.declared.name
    if (refuse?.action === name) return { kind: 'refused', code: refuse.code }
    const handler = definition.handlers[name]
    if (!handler) return { kind: 'missing' }
    return handler(args, state, {
      call,
      nowMs,
      overchargeMinor: overcharge?.action === name ? overcharge.byMinor : 0,
      isUndecided: undecided === true,
      findExecution: (executionId) => book.findByExecution(call.userId, executionId),
    })
  }

  /** A status answer speaks of another execution, and closes it when the skill never had it. */
  function statusReceipt(call: VerifiedCall, answer: SkillAnswer<Event> & { kind: 'status' }, nowMs: number) {
    const about = book.findByExecution(call.userId, answer.executionId)
    const { undecided } = deps.switches()
    if (!about || about.status === 'closed') {
      if (!undecided) close(call, answer.executionId)
      // The bytes of a call that never came are unknown, so the statement carries those of the question.
      const unknown = { ...call, executionId: answer.executionId }
      return signSkillReceipt(key, unknown, { status: undecided ? 'pending' : 'not_found' }, nowMs)
    }
    const taken = answer.taken ?? about.taken
    const statement: SkillStatement = undecided
      ? { status: 'pending' }
      : about.status === 'succeeded' && taken
        ? { status: 'succeeded', taken }
        : { status: about.status }
    return signSkillReceipt(key, { ...about, skillId: call.skillId }, statement, nowMs)
  }

  function close(call: VerifiedCall, executionId: string): void {
    if (book.findByExecution(call.userId, executionId)) return
    book.record({
      kind: 'action',
      brokerKey: `closed ${executionId}`,
      executionId,
      userId: call.userId,
      action: '',
      bodyDigest: '',
      status: 'closed',
      taken: null,
      httpStatus: 409,
      answer: refusal('execution_closed').body,
      events: [],
    })
  }

  function outcomeOf(
    action: LoadedAction,
    call: VerifiedCall,
    answer: SkillAnswer<Event>,
    nowMs: number,
  ): Outcome {
    switch (answer.kind) {
      case 'missing':
        return { status: 'refused', taken: null, httpStatus: 404, answer: refusal('not_found').body }
      case 'refused':
        return { status: 'refused', taken: null, httpStatus: 409, answer: refusal(answer.code).body }
      case 'status': {
        const receipt = statusReceipt(call, answer, nowMs)
        const body = withReceipt(action, answer.result, receipt)
        return { status: 'succeeded', taken: null, httpStatus: 200, answer: body }
      }
      case 'done': {
        if (answer.closes !== undefined) close(call, answer.closes)
        const statement: SkillStatement = answer.taken
          ? { status: 'succeeded', taken: answer.taken }
          : { status: 'succeeded' }
        const receipt = signSkillReceipt(key, call, statement, nowMs)
        const body = withReceipt(action, answer.result, receipt)
        return { status: 'succeeded', taken: answer.taken ?? null, httpStatus: 200, answer: body }
      }
    }
  }

  function carryOut(action: LoadedAction, call: VerifiedCall, body: Uint8Array): SkillReply {
    if (call.action !== action.declared.name || call.skillId !== definition.skill)
      return refusal('other_action', 401)
    // News is asked for again and again with the key of the action it is about, so it is never remembered.
    const isNews = call.kind === 'status' || call.kind === 'preview'
    const earlier = isNews ? undefined : book.findByKey(call.kind, call.brokerKey)
    if (earlier && earlier.bodyDigest !== call.bodyDigest) return refusal('key_reused')
    if (earlier) return { httpStatus: earlier.httpStatus, body: earlier.answer }
    if (call.kind === 'action' && book.findByExecution(call.userId, call.executionId))
      return refusal('execution_closed')

    const parsed = parseStrictJsonBytes(body)
    const checked = parsed.ok ? action.sent.check(parsed.value) : undefined
    if (!checked?.ok) return refusal('arguments_refused', 400)
    if (!amountFits(action, call, checked.value)) return refusal('amount_not_permitted', 400)

    const nowMs = deps.now()
    const answer = run(action, call, checked.value, nowMs)
    const outcome = outcomeOf(action, call, answer, nowMs)
    const events = answer.kind === 'done' ? (answer.events ?? []) : []
    const keptUntilMs = Object.fromEntries(call.retainUntilMs)
    if (!isNews) book.record({ ...identityOf(call), ...outcome, events: [...events], keptUntilMs })
    for (const event of events) definition.apply(state, event)
    return { httpStatus: outcome.httpStatus, body: outcome.answer }
  }

  return {
    call: carryOut,
    forget(manifest, notice) {
      const kept = definition.keeps
      // Where a law keeps the books, only what is declared as memory is ever forgotten.
      const isMemory = (entry: Execution) => !kept || classesOf(manifest, entry).length > 0
      const asked = book.all().filter((entry) => isMemory(entry) && isAskedFor(manifest, notice, entry))
      const isKept = (entry: Execution) =>
        classesOf(manifest, entry).some((name) => kept?.classes.includes(name))
      book.forget((entry) => asked.includes(entry) && !isKept(entry))
      state = rebuilt()
      return kept && asked.some((entry) => entry.events.length > 0 && isKept(entry))
        ? { status: 'kept', code: kept.code, why: kept.why }
        : { status: 'deleted' }
    },
  }
}

function classesOf({ actions }: LoadedManifest, { action }: Execution): readonly string[] {
  return actions.get(action)?.declared.remembers ?? []
}

/** Of this person, by one of those executions, of one of those classes, and no longer to be kept than that. */
function isAskedFor(manifest: LoadedManifest, { userId, scope }: VerifiedNotice, entry: Execution): boolean {
  if (entry.userId !== userId) return false
  const { classes, executions, untilMs } = scope
  if (executions && !executions.includes(entry.executionId)) return false
  if (classes === 'all') return true
  return classesOf(manifest, entry).some((name) => {
    const until = entry.keptUntilMs?.[name] ?? 0
    return classes.includes(name) && (untilMs === undefined || until <= untilMs)
  })
}

function identityOf({ kind, brokerKey, executionId, userId, action, bodyDigest }: VerifiedCall) {
  return { kind, brokerKey, executionId, userId, action, bodyDigest }
}

/** The amount in the token is what was permitted; arguments that say another are not carried out. */
function amountFits(action: LoadedAction, call: VerifiedCall, args: JsonValue): boolean {
  const reading = amountOf(action.declared, args)
  if (!reading.ok) return false
  return reading.amount?.amountMinor === call.amountMinor && reading.amount?.currency === call.currency
}

function withReceipt(action: LoadedAction, result: JsonValue, receipt: string): string {
  const pointer = action.declared.receiptPointer
  return JSON.stringify(pointer === undefined ? result : setPointer(result, pointer, receipt))
}

function refusal(code: string, httpStatus = 409): SkillReply {
  return { httpStatus, body: JSON.stringify({ code }) }
}
