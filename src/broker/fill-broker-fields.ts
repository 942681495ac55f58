import { setPointer } from '../core/json-pointer.ts'
import type { JsonValue } from '../core/json-value.ts'
import type { LoadedAction, LoadedManifest } from '../core/manifest/loaded-manifest.ts'
import type { Broker } from './broker.ts'

/**
 * Adds the fields that only the broker fills: its key, the user as this publisher knows them, and secrets from
 * configuration. They come after the decision; agents never see them.
 *
 * @returns null if a secret is not configured or the whole does not fit the schema: then nothing may be sent.
 */
export function fillBrokerFields(
  broker: Pick<Broker, 'pseudonyms' | 'secrets'>,
  loaded: LoadedManifest,
  action: LoadedAction,
  args: JsonValue,
  about: { userId: string; brokerKey: string },
): JsonValue | null {
  if (action.brokerFields.length === 0) return args
  let filled = args
  for (const field of action.brokerFields) {
    const value =
      field.kind === 'idempotencyKey'
        ? about.brokerKey
        : field.kind === 'account'
          ? broker.pseudonyms.pairwiseUser(about.userId, loaded.manifest.publisher)
          : broker.secrets.find(loaded.manifest.skill, field.pointer)
    const next = value === undefined ? undefined : setPointer(filled, field.pointer, value)
    if (next === undefined) return null
    filled = next
  }
  return action.sent.check(filled).ok ? filled : null
}
