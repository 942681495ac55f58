import { rememberMemory } from '../broker/remember-memory.ts'
import { rememberShape } from '../broker/remember-shape.ts'
import { taggedDigest } from '../core/canonical-json.ts'
import { plainJson } from '../core/manifest/manifest-change.ts'
import { KEY_CHARACTERS_MOST, PURPOSE_CHARACTERS_MOST } from '../core/memory/memory-limits.ts'
import { badArguments, badMeta, memoryCallerOf, memoryRefused } from './memory-call.ts'
import { describeOwnTool, type OwnTool } from './own-tool.ts'
import { ownResult } from './tool-answer.ts'

const text = (description: string, maxLength: number) => ({ type: 'string', maxLength, description }) as const

/** Keeps something for an agent, as long as its grant lets it. */
export const rememberTool: OwnTool = {
  tool: describeOwnTool({
    name: 'countersign_remember',
    title: 'Remember something',
    description:
      'Keeps a text for later sessions, sealed, until the time the user and the skill allow; then it is destroyed. It belongs to a memory class of a skill the user allowed you: countersign_find_skills lists them. The user sees everything you keep, and can delete it.',
    properties: {
      skill: text('The id of the skill, as countersign_find_skills has it.', 64),
      class: text('A memory class of the skill.', 48),
      category: text('A data category of the class; may be left out where it has one only.', 48),
      key: text(
        'A name to recall it by. What you kept under the same name is replaced.',
        KEY_CHARACTERS_MOST,
      ),
      content: { type: 'string', description: 'What to remember.' },
      purpose: text('What you keep it for, in words for the user.', PURPOSE_CHARACTERS_MOST),
      originActionId: text('The id of the action it came of, if any.', 64),
      expiresAtMs: { type: 'integer', description: 'Unix milliseconds; as late as is allowed if left out.' },
      sessionOnly: { type: 'boolean', description: 'Whether it ends with this session.' },
    },
    required: ['skill', 'class', 'content', 'purpose'],
    readOnly: false,
  }),
  async run({ broker }, call) {
    const parsed = rememberShape.safeParse(call.arguments)
    if (!parsed.success) return badArguments(parsed.error)
    const who = await memoryCallerOf(broker, call)
    if (!who) return badMeta()
    // The same text told twice in a session is one item, so that a call that broke may be made again.
    const derived = taggedDigest('countersign/v1/remember', {
      session: call.caller.sessionId,
      asked: plainJson(parsed.data),
    })
    const done = await rememberMemory(broker, who.caller, {
      ...parsed.data,
      idempotencyKey: who.idempotencyKey ?? `mcp ${derived}`,
    })
    if (done.kind === 'conflict') return memoryRefused('idempotency_conflict')
    if (done.kind === 'refused') return memoryRefused(done.code)
    const { itemId, expiresAtMs, limitedBy, sessionOnly } = done
    const until = new Date(expiresAtMs).toISOString()
    return ownResult(
      `Remembered until ${until} at the latest (limited by: ${limitedBy})${sessionOnly ? ', for this session only' : ''}. Reference: ${itemId}`,
      { itemId, expiresAtMs, limitedBy, sessionOnly },
    )
  },
}
