import type { SkillCall } from '../../src/ports/skill-caller.ts'
import type { ReceivedWebhook } from '../../src/sdk/verify-webhook.ts'

/** A call as its receiver sees it. */
export function receivedFrom({ headers, body, method }: SkillCall): ReceivedWebhook {
  return { method, headers: { ...headers }, body }
}
