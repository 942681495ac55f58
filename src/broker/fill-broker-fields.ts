import { setPointer } from '../core/json-pointer.ts'
import type { JsonValue } from '../core/json-value.ts'
import { linksWanted } from '../core/manifest/links.ts'
import type { LoadedAction, LoadedManifest } from '../core/manifest/loaded-manifest.ts'
import type { FieldInfo } from '../core/schema/compiled-schema.ts'
import type { ReadyAccounts } from './account-tokens.ts'
import type { Broker } from './broker.ts'

type About = { userId: string; brokerKey: string; accounts: ReadyAccounts }

/**
 * Adds the fields that only the broker fills: its key, the user as this publisher knows them or an account they linked,
 * and secrets from configuration. They come after the decision; agents never see them.
 *
 * @returns null if a secret is not configured, an account not linked, or the whole does not fit the schema: then nothing
 *   may be sent.
 */
export function fillBrokerFields(
  broker: Pick<Broker, 'pseudonyms' | 'secrets'>,
  loaded: LoadedManifest,
  action: LoadedAction,
  args: JsonValue,
  about: About,
): JsonValue | null {
  if (action.brokerFields.length === 0) return args
  let filled = args
  for (const field of action.brokerFields) {
    const value = filledWith(broker, loaded, action, field, about)
    const next = value === undefined ? undefined : setPointer(filled, field.pointer, value)
    if (next === undefined) return null
    filled = next
  }
  return action.sent.check(filled).ok ? filled : null
}

function filledWith(
  { pseudonyms, secrets }: Pick<Broker, 'pseudonyms' | 'secrets'>,
  loaded: LoadedManifest,
  action: LoadedAction,
  { kind, pointer }: FieldInfo,
  { userId, brokerKey, accounts }: About,
): string | undefined {
  if (kind === 'idempotencyKey') return brokerKey
  if (kind !== 'account') return secrets.find(loaded.manifest.skill, pointer)
  const link = linksWanted(loaded, action).find(({ fills }) => fills.includes(pointer))
  // A skill without accounts gets the pairwise id alone.
  if (!link) return pseudonyms.pairwiseUser(userId, loaded.manifest.publisher)
  return accounts.tokens.get(link.id)?.accessToken
}
