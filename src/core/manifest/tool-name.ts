/** How an action is called as an MCP tool: `coffee.order` and `get_menu` make `coffee_order_get_menu`. */
export function toolNameOf(skill: string, action: string): string {
  return `${skill.replaceAll('.', '_')}_${action}`
}

/** The broker's own tools; a skill must not be able to pass for one. */
const RESERVED_PREFIXES = ['countersign_', 'broker_']

/** The strictest of the model providers' rules for function names. */
const TOOL_NAME = /^[A-Za-z0-9_-]{1,64}$/

export type ToolNameFault = 'tool_name_reserved' | 'tool_name_too_long'

/**
 * Why an action cannot be a tool, or undefined. Two skills can still meet in one name (`a.b` with `c_d`,
 * `a.b.c` with `d`); that is refused where a version is registered, since only there both are known.
 */
export function checkToolName(toolName: string): ToolNameFault | undefined {
  if (RESERVED_PREFIXES.some((prefix) => toolName.startsWith(prefix))) return 'tool_name_reserved'
  return TOOL_NAME.test(toolName) ? undefined : 'tool_name_too_long'
}
