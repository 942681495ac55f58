import { findLink, linksWanted } from '../core/manifest/links.ts'
import type { LoadedAction, LoadedManifest } from '../core/manifest/loaded-manifest.ts'
import type { LinkedAccountRow } from '../ports/link-rows.ts'
import type { Broker } from './broker.ts'
import { linkedFor } from './linked-for.ts'
import { destroyTexts, openText, sealText } from './seal-text.ts'
import { askForTokens, type LinkTokens } from './token-endpoint.ts'

/** A token that ends this soon is renewed before it is used, in milliseconds. */
const RENEW_BEFORE_MS = 60_000

/** What is kept of a link, sealed. */
export type KeptTokens = Pick<LinkTokens, 'accessToken' | 'refreshToken'>

/** Access tokens by the link they are of, and what could not be had. */
export type ReadyAccounts = {
  /** With the revision each was read at, so that a link taken back meanwhile is seen. */
  readonly tokens: ReadonlyMap<string, { readonly revision: number; readonly accessToken: string }>
  readonly unavailable: ReadonlySet<string>
}

export const NO_ACCOUNTS: ReadyAccounts = { tokens: new Map(), unavailable: new Set() }

/** Opens the tokens of linked accounts, and renews those that are about to end. Never inside a transaction. */
export async function readyAccounts(
  broker: Broker,
  rows: readonly LinkedAccountRow[],
): Promise<ReadyAccounts> {
  const tokens = new Map<string, { revision: number; accessToken: string }>()
  const unavailable = new Set<string>()
  for (const row of rows) {
    const ready = await readyAccount(broker, row)
    if (ready) tokens.set(row.link, ready)
    else unavailable.add(row.link)
  }
  return { tokens, unavailable }
}

/** The same for one action of a version, as the user has linked them now; nothing is asked where it wants none. */
export async function accountsFor(
  broker: Broker,
  userId: string,
  loaded: LoadedManifest,
  action: LoadedAction,
): Promise<ReadyAccounts> {
  if (linksWanted(loaded, action).length === 0) return NO_ACCOUNTS
  const { rows } = await broker.store.read((tx) => linkedFor(broker, tx, userId, loaded, action))
  return readyAccounts(broker, rows)
}

export async function openTokens(
  broker: Pick<Broker, 'cells'>,
  row: LinkedAccountRow,
): Promise<KeptTokens | undefined> {
  const text = await openText(broker, row.tokens)
  return text === undefined ? undefined : (JSON.parse(text) as KeptTokens)
}

export function sealTokens(
  broker: Pick<Broker, 'cells'>,
  owner: { userId: string; skillId: string },
  { accessToken, refreshToken }: KeptTokens,
): Promise<string> {
  return sealText(broker, owner, JSON.stringify({ accessToken, refreshToken }))
}

async function readyAccount(
  broker: Broker,
  row: LinkedAccountRow,
): Promise<{ revision: number; accessToken: string } | undefined> {
  const { nowMs } = broker.store.now()
  const kept = await openTokens(broker, row)
  if (!kept) return undefined
  const { revision } = row
  if (row.expiresAtMs === null || nowMs < row.expiresAtMs - RENEW_BEFORE_MS)
    return { revision, accessToken: kept.accessToken }
  const renewed = await renewOnce(broker, row, kept)
  if (renewed) return renewed
  // What the skill could not renew may still be good for a moment.
  return nowMs < row.expiresAtMs ? { revision, accessToken: kept.accessToken } : undefined
}

type Ready = { revision: number; accessToken: string }

/** Renewals under way, by the revision they began with. */
const renewing = new Map<string, Promise<Ready | undefined>>()

/** A refresh token sent twice looks stolen to who gave it, so calls that come together share one renewal. */
function renewOnce(broker: Broker, row: LinkedAccountRow, kept: KeptTokens): Promise<Ready | undefined> {
  const name = `${row.id} ${row.revision}`
  const running = renewing.get(name)
  if (running) return running
  const started = renew(broker, row, kept).finally(() => renewing.delete(name))
  renewing.set(name, started)
  return started
}

/** Renews at the token endpoint of the version the user linked under, and nowhere else. */
async function renew(
  broker: Broker,
  row: LinkedAccountRow,
  { refreshToken }: KeptTokens,
): Promise<{ revision: number; accessToken: string } | undefined> {
  const { userId, skillId, id } = row
  const { manifest } = await broker.store.read((tx) => broker.manifests.load(tx, row.manifestDigest))
  const link = findLink(manifest, row.link)
  const client = broker.linkClients.find(skillId, row.link)
  if (!link || !client) return undefined
  if (refreshToken === null) return broken(broker, row)
  const answer = await askForTokens(broker, link, client, {
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
  })
  if (answer.kind === 'unavailable') return undefined
  if (answer.kind === 'refused') {
    broker.logger.warn('account_not_renewed', { skill: skillId, code: answer.code })
    return answer.code === 'invalid_grant' ? renewedElsewhere(broker, row) : undefined
  }
  const { accessToken, expiresInSeconds } = answer.tokens
  const kept = { accessToken, refreshToken: answer.tokens.refreshToken ?? refreshToken }
  const sealed = await sealTokens(broker, { userId, skillId }, kept)
  const isKept = await broker.store.transaction(async (tx) =>
    tx.linkedAccounts.renew(id, row.revision, sealed, expiryOf(expiresInSeconds, tx.nowMs), tx.nowMs),
  )
  // Whoever came first, or a user who unlinked meanwhile, decides what is kept; the other text is destroyed.
  await destroyTexts(broker, [isKept ? row.tokens : sealed])
  return isKept ? { revision: row.revision + 1, accessToken } : newest(broker, row)
}

/** Two nodes renew at once: the refresh token of the slower one is used up, and the faster one has kept the next. */
async function renewedElsewhere(broker: Broker, row: LinkedAccountRow) {
  return (await newest(broker, row)) ?? broken(broker, row)
}

async function newest(broker: Broker, row: LinkedAccountRow) {
  const now = await broker.store.read(async (tx) => tx.linkedAccounts.find(row.id))
  if (now?.status !== 'linked' || now.revision === row.revision) return undefined
  const kept = await openTokens(broker, now)
  return kept && { revision: now.revision, accessToken: kept.accessToken }
}

/** Nothing will renew it any more: its user has to link it again. */
async function broken(broker: Broker, row: LinkedAccountRow): Promise<undefined> {
  await broker.store.transaction(async (tx) => {
    await tx.linkedAccounts.setStatus(row.id, row.revision, 'broken', tx.nowMs)
  })
}

export function expiryOf(expiresInSeconds: number | null, nowMs: number): number | null {
  return expiresInSeconds === null ? null : nowMs + expiresInSeconds * 1000
}
