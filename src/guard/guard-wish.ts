import { parsePathPrefix } from '../core/grant/web-address.ts'
import type { JsonObject } from '../core/json-value.ts'
import { CODING_SKILL } from './coding-tools.ts'

/** Commands one grant can name. */
export const LISTED_MOST = 100
export const LISTED_CHARACTERS_MOST = 500

/** What reaches beyond the folder, or changes what is in it, is asked about each time. */
const ASKED = ['write_file', 'edit_file', 'run_command', 'fetch_page', 'search_web', 'use_mcp_tool']

/** Whether a folder can be a limit: one that two readers would not take for two places. */
export function canLimitTo(folder: string): boolean {
  return parsePathPrefix(folder) !== undefined && !folder.endsWith('/')
}

/**
 * What a guard asks its user for: to read below the workspace, to run what was listed word for word, and to be asked
 * about everything else. The user may say yes to less.
 */
export function codingWish(workspace: string, listed: ReadonlySet<string>): JsonObject {
  const below = (pointer: string) => ({ kind: 'path_prefix', pointer, prefix: workspace })
  const commands = { kind: 'one_of', pointer: '/command', values: [...listed] }
  return {
    skill: CODING_SKILL,
    actions: [
      { name: 'read_file', constraints: [below('/path')] },
      { name: 'search_files', constraints: [below('/folder')] },
      { name: 'write_file', constraints: [below('/path')] },
      { name: 'edit_file', constraints: [below('/path')] },
      ...(listed.size === 0
        ? []
        : [{ name: 'run_listed_command', constraints: [commands, below('/folder')] }]),
      { name: 'run_command', constraints: [below('/folder')] },
      { name: 'fetch_page' },
      { name: 'search_web' },
      { name: 'use_mcp_tool' },
      { name: 'plan' },
    ],
    askFirst: [{ kind: 'always', actions: ASKED }],
    categories: ['path', 'file', 'command', 'page', 'request', 'plan'],
    purpose: 'To work on the files of one folder with Qwen Code',
  }
}
