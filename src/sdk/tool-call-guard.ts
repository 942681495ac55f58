import { canonicalJson } from '../core/canonical-json.ts'
import { verifyActionToken } from '../core/execution/verify-action-token.ts'
import type { JsonValue } from '../core/json-value.ts'
import { openBrokerKeys } from './broker-keys.ts'
import { claimedKeyId } from './claimed-key-id.ts'
import { createMemoryReplayStore } from './replay-store.ts'
import { refuseReplay, type SkillGuardOptions, type SkillGuardVerdict } from './skill-guard.ts'

export interface ToolCallGuardOptions extends Omit<SkillGuardOptions, 'baseUrl'> {
  /** The server's URL as its manifest spells it, or `stdio:` and the skill's id for one that the broker's operator starts. */
  readonly url: string
}

/** One `tools/call` as an MCP server's handler sees it. */
export interface ReceivedToolCall {
  readonly name: string
  readonly arguments: unknown
  /** The call's `_meta`. */
  readonly meta: Readonly<Record<string, unknown>> | undefined
}

const TOKEN_IN_META = 'countersign/actionToken'
const TOKEN_CHARACTERS_MOST = 16_384

/**
 * Makes the check an MCP server puts before its tools: only calls that the broker permitted, of this tool, with these
 * arguments, once, get through (P9). The token comes in `_meta`, since its server may want credentials of its own in the
 * header; what was signed is the RFC 8785 form of the arguments, so their bytes on the way do not matter.
 */
export function createToolCallGuard(options: ToolCallGuardOptions): {
  verify(call: ReceivedToolCall): Promise<SkillGuardVerdict>
} {
  const now = options.now ?? Date.now
  const findKeys = openBrokerKeys(options.keys, { fetch: options.fetch ?? fetch, now })
  const replayStore = options.replayStore ?? createMemoryReplayStore({ now })
  return {
    async verify({ name, arguments: given, meta }) {
      const token = meta?.[TOKEN_IN_META]
      if (typeof token !== 'string' || token.length > TOKEN_CHARACTERS_MOST)
        return { ok: false, code: 'token_missing', status: 401 }
      const keys = await findKeys(claimedKeyId(token))
      if (!keys) return { ok: false, code: 'keys_unavailable', status: 503 }
      const body = Buffer.from(canonicalJson(JSON.parse(JSON.stringify(given ?? {})) as JsonValue))
      const verdict = verifyActionToken(token, {
        issuer: options.issuer,
        audience: `${options.url}#${name}`,
        body,
        keys,
        nowMs: now(),
        clockSkewSeconds: options.clockSkewSeconds ?? 5,
        mergeDelaySecondsMax: options.mergeDelaySecondsMax ?? 86_400,
        ...(options.logOrigin === undefined ? {} : { logOrigin: options.logOrigin }),
      })
      return verdict.ok
        ? refuseReplay(verdict.call, replayStore)
        : { ok: false, code: verdict.code, status: 401 }
    },
  }
}
