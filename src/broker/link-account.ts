import { hash, randomBytes } from 'node:crypto'
import { findLink } from '../core/manifest/links.ts'
import type { ManifestLink } from '../core/manifest/manifest.ts'
import type { LinkAttemptRow, LinkedAccountRow } from '../ports/link-rows.ts'
import type { Tx } from '../ports/store.ts'
import { expiryOf, sealTokens } from './account-tokens.ts'
import type { Broker } from './broker.ts'
import { type LeafSealer, sealerFor } from './leaf-sealer.ts'
import { destroyTexts, openText, sealText } from './seal-text.ts'
import { tellInTx } from './tell.ts'
import { askForTokens } from './token-endpoint.ts'

/** Where every authorization server sends people back to; register exactly this. */
export const LINK_CALLBACK_PATH = '/linked/callback'
const ATTEMPT_LASTS_MS = 600_000
const ATTEMPTS_MOST = 10

export type LinkStarted =
  /** Where the browser goes next; only the same session can come back from there. */
  | { kind: 'started'; url: string }
  | { kind: 'not_found' }
  /** The operator registered no client there. */
  | { kind: 'not_configured' }
  | { kind: 'already_linked' }
  | { kind: 'too_many_attempts' }

type WhichLink = { userId: string; skillId: string; link: string }

/**
 * Begins to link an account: OAuth's code flow with PKCE (RFC 7636, S256) at the authorization server the current
 * manifest names. Whether the user stepped up is the caller's check.
 */
export async function startLinking(
  broker: Broker,
  input: WhichLink & { sessionId: string },
): Promise<LinkStarted> {
  const { userId, skillId, sessionId } = input
  const found = await broker.store.read(async (tx) => {
    const digest = (await tx.skills.find(skillId))?.currentDigest
    const link = digest ? findLink((await broker.manifests.load(tx, digest)).manifest, input.link) : undefined
    return digest && link ? { digest, link } : undefined
  })
  if (!found) return { kind: 'not_found' }
  const { link, digest } = found
  const client = broker.linkClients.find(skillId, link.id)
  if (!client) return { kind: 'not_configured' }

  const state = randomBytes(32).toString('base64url')
  const verifier = randomBytes(32).toString('base64url')
  const sealed = await sealText(broker, { userId, skillId }, verifier)
  const outcome = await broker.store.transaction<LinkStarted>(async (tx) => {
    await tx.linkAttempts.removeExpired(tx.nowMs)
    const before = await tx.linkedAccounts.findFor(userId, skillId, link.id)
    if (before?.status === 'linked') return { kind: 'already_linked' }
    if ((await tx.linkAttempts.countFor(userId)) >= ATTEMPTS_MOST) return { kind: 'too_many_attempts' }
    await tx.linkAttempts.insert({
      stateHash: hashOf(state),
      userId,
      sessionId,
      skillId,
      link: link.id,
      manifestDigest: digest,
      verifier: sealed,
      createdAtMs: tx.nowMs,
      expiresAtMs: tx.nowMs + ATTEMPT_LASTS_MS,
    })
    return { kind: 'started', url: authorizationUrl(broker, link, client.clientId, state, verifier) }
  })
  if (outcome.kind !== 'started') await destroyTexts(broker, [sealed])
  return outcome
}

export type LinkFinished =
  | { kind: 'linked'; account: LinkedAccountRow }
  /** Never begun, begun by another user or in another session, used before, or too old: all the same. */
  | { kind: 'attempt_unknown' }
  /** The answer names another authorization server, or none (RFC 9207): somebody mixes two up. */
  | { kind: 'issuer_differs' }
  /** The user, or the authorization server, said no. */
  | { kind: 'refused' }
  /** A new version took the link away or changed it meanwhile. */
  | { kind: 'link_changed' }
  | { kind: 'already_linked' }
  | { kind: 'unavailable' }

/** What an authorization server sent the browser back with. */
export type LinkAnswer = {
  readonly state: string | undefined
  readonly code: string | undefined
  readonly error: string | undefined
  readonly iss: string | undefined
}

/** Ends what `startLinking` began, once, in the session it began in. */
export async function finishLinking(
  broker: Broker,
  input: { userId: string; sessionId: string } & LinkAnswer,
): Promise<LinkFinished> {
  const attempt = await takeAttempt(broker, input)
  if (!attempt) return { kind: 'attempt_unknown' }
  const { userId, skillId } = attempt
  const verifier = await openText(broker, attempt.verifier)
  await destroyTexts(broker, [attempt.verifier])
  const { manifest } = await broker.store.read((tx) => broker.manifests.load(tx, attempt.manifestDigest))
  const link = findLink(manifest, attempt.link)
  const client = broker.linkClients.find(skillId, attempt.link)
  if (!link || !client || verifier === undefined) return { kind: 'unavailable' }
  if (input.iss !== link.issuer) return { kind: 'issuer_differs' }
  if (input.error !== undefined || input.code === undefined) return { kind: 'refused' }

  const answer = await askForTokens(broker, link, client, {
    grant_type: 'authorization_code',
    code: input.code,
    redirect_uri: callbackOf(broker),
    code_verifier: verifier,
  })
  if (answer.kind === 'refused') {
    broker.logger.warn('account_not_linked', { skill: skillId, code: answer.code })
    return { kind: 'refused' }
  }
  if (answer.kind === 'unavailable') return { kind: 'unavailable' }
  const tokens = await sealTokens(broker, { userId, skillId }, answer.tokens)
  const seal = await sealerFor(broker, { userId, skillId })
  const outcome = await broker.store.transaction(
    (tx) => keep(broker, tx, seal, attempt, link, tokens, answer.tokens.expiresInSeconds),
    { userId },
  )
  if (outcome.kind === 'linked') broker.deliveries.wake()
  else await destroyTexts(broker, [tokens])
  return outcome
}

/** Takes the attempt whatever comes of it: an answer is good for one try. */
async function takeAttempt(
  broker: Broker,
  { state, userId, sessionId }: { state: string | undefined; userId: string; sessionId: string },
): Promise<LinkAttemptRow | undefined> {
  if (state === undefined || !/^[A-Za-z0-9_-]{43}$/.test(state)) return undefined
  return broker.store.transaction(async (tx) => {
    const attempt = await tx.linkAttempts.take(hashOf(state))
    const isOurs = attempt?.userId === userId && attempt.sessionId === sessionId
    return attempt && isOurs && tx.nowMs < attempt.expiresAtMs ? attempt : undefined
  })
}

async function keep(
  broker: Broker,
  tx: Tx,
  seal: LeafSealer,
  attempt: LinkAttemptRow,
  link: ManifestLink,
  tokens: string,
  expiresInSeconds: number | null,
): Promise<LinkFinished> {
  const { userId, skillId, manifestDigest } = attempt
  if ((await tx.skills.find(skillId))?.currentDigest !== manifestDigest) return { kind: 'link_changed' }
  const before = await tx.linkedAccounts.findFor(userId, skillId, link.id)
  if (before?.status === 'linked') return { kind: 'already_linked' }
  if (before) await tx.linkedAccounts.remove(userId, before.id)
  const account: LinkedAccountRow = {
    id: broker.newId('linkedAccount'),
    userId,
    skillId,
    link: link.id,
    means: link.means,
    manifestDigest,
    tokens,
    expiresAtMs: expiryOf(expiresInSeconds, tx.nowMs),
    revision: 1,
    status: 'linked',
    createdAtMs: tx.nowMs,
    changedAtMs: tx.nowMs,
  }
  await tx.linkedAccounts.insert(account)
  const leaf = seal(
    {
      type: 'account',
      outcome: 'linked',
      reason: 'by_user',
      core: { skill: skillId, link: link.id, means: link.means, manifest: manifestDigest },
      subj: { user: userId, account: account.id },
    },
    tx.nowMs,
  )
  await tx.log.append(leaf, tx.nowMs)
  await tellInTx(broker, tx, userId, { kind: 'account_linked', id: account.id })
  return { kind: 'linked', account }
}

function authorizationUrl(
  broker: Broker,
  link: ManifestLink,
  clientId: string,
  state: string,
  verifier: string,
): string {
  const url = new URL(link.authorizationEndpoint)
  const parameters = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: callbackOf(broker),
    scope: link.scopes.join(' '),
    state,
    code_challenge: hashOf(verifier),
    code_challenge_method: 'S256',
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url.href
}

function callbackOf({ settings }: Broker): string {
  return `${settings.issuer}${LINK_CALLBACK_PATH}`
}

function hashOf(secret: string): string {
  return hash('sha256', secret, 'base64url')
}
