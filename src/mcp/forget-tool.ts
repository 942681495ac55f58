import { z } from 'zod'
import { forgetByAgent } from '../broker/forget-memory.ts'
import { SKILL_ID } from '../core/manifest/manifest.ts'
import { KEY_CHARACTERS_MOST } from '../core/memory/memory-limits.ts'
import { badArguments, badMeta, memoryCallerOf, memoryRefused } from './memory-call.ts'
import { describeOwnTool, type OwnTool } from './own-tool.ts'
import { ownResult } from './tool-answer.ts'

const shape = z.union([
  z.strictObject({ itemId: z.string().min(1).max(64) }),
  z.strictObject({
    skill: z.string().max(64).regex(SKILL_ID),
    key: z.string().min(1).max(KEY_CHARACTERS_MOST),
    class: z.string().min(1).max(48).optional(),
  }),
])

/** Destroys what an agent kept, before its time. */
export const forgetTool: OwnTool = {
  tool: describeOwnTool({
    name: 'countersign_forget',
    title: 'Forget what I remembered',
    description: 'Destroys what you kept, for good: one item by itemId, or what a skill’s key names.',
    properties: {
      itemId: { type: 'string', maxLength: 64, description: 'The reference of one item.' },
      skill: { type: 'string', maxLength: 64, description: 'With key: the skill it belongs to.' },
      key: { type: 'string', maxLength: KEY_CHARACTERS_MOST, description: 'The key it was kept under.' },
      class: { type: 'string', maxLength: 48, description: 'With key: only this memory class.' },
    },
    readOnly: false,
    destructive: true,
  }),
  async run({ broker }, call) {
    const parsed = shape.safeParse(call.arguments)
    if (!parsed.success) return badArguments(parsed.error)
    const who = await memoryCallerOf(broker, call)
    if (!who) return badMeta()
    const done = await forgetByAgent(broker, { ...who.caller, deploymentId: null }, parsed.data)
    if (done.kind === 'refused') return memoryRefused(done.code)
    const items = done.kind === 'forgotten' ? done.items : 0
    return ownResult(items === 0 ? 'Nothing of that name is remembered.' : 'Forgotten.', { items })
  },
}
