import {
  type ListToolsResult,
  ProtocolError,
  ProtocolErrorCode,
  type Tool,
} from '@modelcontextprotocol/server'
import type { Broker } from '../broker/broker.ts'
import { connectedSkills } from '../broker/connected-skills.ts'
import { isGuarded } from '../core/manifest/endpoint.ts'
import { actionTool } from './action-tool.ts'
import { askConsentTool } from './ask-consent-tool.ts'
import { authorityTool } from './authority-tool.ts'
import type { AgentCaller } from './call-context.ts'
import { checkAnswerTool } from './check-answer-tool.ts'
import { findSkillsTool } from './find-skills-tool.ts'
import { forgetTool } from './forget-tool.ts'
import type { OwnTool } from './own-tool.ts'
import { recallTool } from './recall-tool.ts'
import { rememberTool } from './remember-tool.ts'

const OWN_TOOLS: readonly OwnTool[] = [
  findSkillsTool,
  askConsentTool,
  authorityTool,
  checkAnswerTool,
  rememberTool,
  recallTool,
  forgetTool,
]
const OWN_BY_NAME = new Map(OWN_TOOLS.map((own) => [own.tool.name, own]))

/** Tools in one answer. Some clients read no second page, so that one holds what few agents exceed. */
export const TOOLS_A_PAGE = 256

export function findOwnTool(name: string): OwnTool | undefined {
  return OWN_BY_NAME.get(name)
}

/**
 * The tools of an agent: the broker's own, and every action of the skills it has a grant for. Those the grant does not
 * cover are among them, since many clients read the list once: they answer what consent they need.
 *
 * @throws ProtocolError for a cursor that names no tool of ours.
 */
export async function listTools(
  broker: Broker,
  caller: Pick<AgentCaller, 'userId' | 'agentId'>,
  cursor: string | undefined,
): Promise<ListToolsResult> {
  const skills = (await connectedSkills(broker, caller)) ?? []
  const tools: Tool[] = OWN_TOOLS.map(({ tool }) => tool)
  for (const loaded of skills) {
    // What a guard enforces is asked for by the guard, and would be refused here.
    if (isGuarded(loaded.manifest.endpoint)) continue
    for (const action of loaded.actions.values()) tools.push(actionTool(loaded, action))
  }
  const from = cursor === undefined ? 0 : tools.findIndex(({ name }) => name === nameIn(cursor)) + 1
  if (cursor !== undefined && from === 0) {
    throw new ProtocolError(
      ProtocolErrorCode.InvalidParams,
      'The cursor is none of ours: list the tools anew.',
    )
  }
  const page = tools.slice(from, from + TOOLS_A_PAGE)
  const last = page.at(-1)
  return from + page.length < tools.length && last
    ? { tools: page, nextCursor: Buffer.from(last.name).toString('base64url') }
    : { tools: page }
}

function nameIn(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString('utf8')
}
