import { askAfterRefusal } from '../broker/ask-after-refusal.ts'
import type { Broker } from '../broker/broker.ts'
import type { Performed } from '../broker/perform-action.ts'
import type { AgentCaller } from './call-context.ts'
import { pageOf } from './mcp-deps.ts'
import type { Asked } from './tool-answer.ts'

type Denied = Extract<Performed, { kind: 'denied' }>

/** Puts the consent a refused call would need before its user; undefined where it may not be asked for. */
export async function askForConsent(
  broker: Broker,
  caller: AgentCaller,
  denied: Denied,
): Promise<Asked | undefined> {
  const question = await askAfterRefusal(broker, caller, denied)
  return question && askedOf(broker, question)
}

export function askedOf(
  { settings }: Broker,
  { id, kind, expiresAtMs }: Pick<Asked, 'id' | 'kind' | 'expiresAtMs'>,
): Asked {
  return { id, kind, expiresAtMs, url: pageOf(settings.issuer, { id, kind }) }
}
