import { importVerificationKeys, type VerificationKey } from '../core/execution/compact-jws.ts'

/** Finds the broker's published keys; undefined when they cannot be had at the moment. */
export type BrokerKeySource = (kid: string) => Promise<readonly VerificationKey[] | undefined>

/** A key set at hand, or the URL it is published at. */
export type BrokerKeyOption = { readonly keys: readonly unknown[] } | { readonly url: string }

export interface BrokerKeyDeps {
  readonly fetch: (url: string, init: { signal: AbortSignal; redirect: 'error' }) => Promise<Response>
  readonly now: () => number
}

/** A key id nobody published must not make us ask the broker with every call. */
const MIN_REFETCH_MS = 30_000
const MAX_AGE_MS = 10 * 60_000
const FETCH_TIMEOUT_MS = 5_000
const MAX_KEY_SET_CHARACTERS = 65_536

/**
 * Opens a key source. A URL is fetched when first needed, every ten minutes, and for an unknown key id, but never
 * more than twice a minute; while the broker cannot be reached the keys known last go on being used for an hour.
 */
export function openBrokerKeys(option: BrokerKeyOption, deps: BrokerKeyDeps): BrokerKeySource {
  if ('keys' in option) {
    const keys = importVerificationKeys(option.keys)
    return async () => keys
  }

  const { url } = option
  let known: { keys: readonly VerificationKey[]; fetchedAtMs: number } | undefined
  let triedAtMs = Number.NEGATIVE_INFINITY
  let pending: Promise<void> | undefined

  async function refresh(): Promise<void> {
    triedAtMs = deps.now()
    const keys = await fetchKeys(url, deps).catch(() => undefined)
    if (keys) known = { keys, fetchedAtMs: deps.now() }
  }

  return async (kid) => {
    const nowMs = deps.now()
    const isStale = !known || nowMs - known.fetchedAtMs >= MAX_AGE_MS
    const isMissing = !known?.keys.some((key) => key.kid === kid)
    const mayAsk = nowMs - triedAtMs >= MIN_REFETCH_MS
    if ((isStale || isMissing) && mayAsk && !pending) {
      pending = refresh().finally(() => {
        pending = undefined
      })
    }
    if (isStale || isMissing) await pending
    // A retired key must not live on for ever because the broker cannot be asked.
    return known && deps.now() - known.fetchedAtMs < 6 * MAX_AGE_MS ? known.keys : undefined
  }
}

async function fetchKeys(url: string, deps: BrokerKeyDeps): Promise<VerificationKey[] | undefined> {
  const answer = await deps.fetch(url, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS), redirect: 'error' })
  const text = answer.ok ? await answer.text() : ''
  if (text === '' || text.length > MAX_KEY_SET_CHARACTERS) return undefined
  const set: unknown = JSON.parse(text)
  if (typeof set !== 'object' || set === null || !('keys' in set) || !Array.isArray(set.keys))
    return undefined
  return importVerificationKeys(set.keys)
}
