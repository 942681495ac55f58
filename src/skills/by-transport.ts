import type { SkillCaller } from '../ports/skill-caller.ts'
import type { McpSkills } from './mcp-skill.ts'

/** Calls a skill by what its manifest says it is. */
export function skillsByTransport(http: SkillCaller, mcp: McpSkills): SkillCaller {
  return {
    call: (request) => (request.tool ? mcp.call(request, request.tool) : http.call(request)),
    async close() {
      await Promise.all([http.close(), mcp.close()])
    },
  }
}
