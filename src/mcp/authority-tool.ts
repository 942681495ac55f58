import { z } from 'zod'
import { agentAuthority } from '../broker/agent-authority.ts'
import { plainJson } from '../core/manifest/manifest-change.ts'
import { describeOwnTool, type OwnTool } from './own-tool.ts'
import { ownResult, refusedResult } from './tool-answer.ts'

const shape = z.strictObject({})

/** Tells an agent what it may do, as far as its user shares that. */
export const authorityTool: OwnTool = {
  tool: describeOwnTool({
    name: 'countersign_my_authority',
    title: 'List what I am allowed to do',
    description:
      'Lists what the user allows you: skills, tools, until when, and what is left of budgets where the user shares that.',
    properties: {},
    readOnly: true,
  }),
  async run({ broker }, { caller, arguments: args }) {
    if (!shape.safeParse(args).success) {
      return refusedResult({ code: 'invalid_arguments', detail: 'This tool takes no arguments.', next: '' })
    }
    const grants = await agentAuthority(broker, caller)
    const text =
      grants.length === 0
        ? 'The user has allowed you nothing yet. Find skills with countersign_find_skills and ask with countersign_ask_consent.'
        : `What the user allows you. Budgets that are null are not shared with you.\n${JSON.stringify(grants)}`
    return ownResult(text, { grants: plainJson(grants) })
  },
}
