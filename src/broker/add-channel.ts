import { randomInt, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { domainOfMailAddress } from '../core/grant/mail-address.ts'
import type { Locale } from '../core/grant/words.ts'
import type { Carriers } from '../ports/carriers.ts'
import type { ChannelRow } from '../ports/reach-rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { type LeafSealer, sealerFor } from './leaf-sealer.ts'
import { destroyTexts, sealText } from './seal-text.ts'
import { tellInTx } from './tell.ts'

const CHANNELS_MOST = 10
const CODE_LASTS_MS = 900_000
const CODE_TRIES = 5
/** A code is not mailed again sooner, so that nobody's mailbox can be filled from here. */
const CODE_AGAIN_MS = 60_000

export type ChannelAdded =
  | { kind: 'added'; channel: ChannelRow }
  | { kind: 'address_refused' }
  | { kind: 'too_many_channels' }
  /** It is there already, or its code was mailed a moment ago. */
  | { kind: 'already_there' }
  /** This way is not configured, or the other side cannot be reached now. */
  | { kind: 'unavailable' }

const base64url = (bytes: number) =>
  z
    .string()
    .refine((text) => /^[A-Za-z0-9_-]+$/.test(text) && Buffer.from(text, 'base64url').length === bytes)
/** As a browser gives it; where it may lead is the egress guard's to say, each time it is called. */
const subscriptionShape = z.object({
  endpoint: z
    .string()
    .max(1_000)
    .refine((text) => URL.canParse(text) && /^https?:\/\//.test(text)),
  keys: z.object({ p256dh: base64url(65), auth: base64url(16) }),
})

/** Adds a browser: a first message proves that it can be reached. */
export async function addPushChannel(
  broker: Broker,
  carriers: Pick<Carriers, 'push'>,
  input: { userId: string; subscription: string; locale: Locale },
): Promise<ChannelAdded> {
  const parsed = subscriptionShape.safeParse(jsonOf(input.subscription))
  if (!parsed.success) return { kind: 'address_refused' }
  if (!carriers.push) return { kind: 'unavailable' }
  const { endpoint, keys } = parsed.data
  const address = JSON.stringify({ endpoint, keys: { p256dh: keys.p256dh, auth: keys.auth } })
  if (await isFull(broker, input.userId)) return { kind: 'too_many_channels' }
  const greeted = await carriers.push.greet(address, input.locale)
  if (greeted.kind === 'later') return { kind: 'unavailable' }
  if (greeted.kind !== 'delivered') return { kind: 'address_refused' }
  return add(broker, { ...input, kind: 'push', address, code: null })
}

/** Adds a mail address, which is told nothing until its owner has said the code that is mailed there. */
export async function addMailChannel(
  broker: Broker,
  carriers: Pick<Carriers, 'mail'>,
  input: { userId: string; address: string; locale: Locale },
): Promise<ChannelAdded> {
  const address = input.address.trim()
  if (address.length > 254 || domainOfMailAddress(address) === undefined) return { kind: 'address_refused' }
  if (!carriers.mail) return { kind: 'unavailable' }
  const code = String(randomInt(100_000_000)).padStart(8, '0')
  const added = await add(broker, { ...input, kind: 'mail', address, code })
  if (added.kind !== 'added') return added
  const sent = await carriers.mail.sendCode(address, code, input.locale)
  return sent.kind === 'delivered' ? added : { kind: 'unavailable' }
}

export type ChannelVerified = { kind: 'verified' } | { kind: 'not_found' } | { kind: 'code_refused' }

/** Opens a mail channel with the code that was mailed there; five wrong tries and a new code is needed. */
export async function verifyMailChannel(
  broker: Broker,
  input: { userId: string; channelId: string; code: string },
): Promise<ChannelVerified> {
  const { userId, channelId } = input
  const seal = await sealerFor(broker, { userId, skillId: '' })
  const given = codeTag(broker, userId, channelId, input.code.replace(/\s/g, ''))
  const outcome = await broker.store.transaction<ChannelVerified>(
    async (tx) => {
      const channel = await tx.channels.find(channelId)
      if (channel?.userId !== userId) return { kind: 'not_found' }
      if (channel.status === 'active') return { kind: 'verified' }
      const hasTry = await tx.channels.takeTry(channelId)
      if (!hasTry || !isSame(given, channel.codeHash)) return { kind: 'code_refused' }
      if (!(await tx.channels.verify(channelId, given, tx.nowMs))) return { kind: 'code_refused' }
      await note(broker, tx, seal, channel, 'verified')
      return { kind: 'verified' }
    },
    { userId },
  )
  if (outcome.kind === 'verified') broker.deliveries.wake()
  return outcome
}

type NewChannel = {
  userId: string
  kind: 'push' | 'mail'
  address: string
  locale: Locale
  code: string | null
}

async function add(broker: Broker, input: NewChannel): Promise<ChannelAdded> {
  const { userId, kind, locale, code } = input
  const id = broker.newId('channel')
  const address = await sealText(broker, { userId, skillId: '' }, input.address)
  const addressTag = broker.pseudonyms.recipientTag(userId, `${kind} ${input.address.toLowerCase()}`)
  const seal = await sealerFor(broker, { userId, skillId: '' })
  const outcome = await broker.store.transaction<ChannelAdded>(
    async (tx) => {
      const known = await tx.channels.list(userId)
      const same = known.find((row) => row.kind === kind && row.addressTag === addressTag)
      if (same) return codeAgain(broker, tx, same, code)
      if (known.length >= CHANNELS_MOST) return { kind: 'too_many_channels' }
      const channel: ChannelRow = {
        id,
        userId,
        kind,
        address,
        addressTag,
        locale,
        status: code === null ? 'active' : 'unverified',
        codeHash: code === null ? null : codeTag(broker, userId, id, code),
        codeExpiresAtMs: code === null ? null : tx.nowMs + CODE_LASTS_MS,
        codeTriesLeft: code === null ? 0 : CODE_TRIES,
        failures: 0,
        createdAtMs: tx.nowMs,
        verifiedAtMs: code === null ? tx.nowMs : null,
      }
      await tx.channels.insert(channel)
      if (code === null) await note(broker, tx, seal, channel, 'verified')
      return { kind: 'added', channel }
    },
    { userId },
  )
  if (outcome.kind !== 'added' || outcome.channel.id !== id) await destroyTexts(broker, [address])
  else broker.deliveries.wake()
  return outcome
}

/** The same address again: another code for one that still waits for it, but not at once. */
async function codeAgain(
  broker: Broker,
  tx: Tx,
  row: ChannelRow,
  code: string | null,
): Promise<ChannelAdded> {
  const sentAtMs = (row.codeExpiresAtMs ?? 0) - CODE_LASTS_MS
  if (code === null || row.status === 'active' || tx.nowMs < sentAtMs + CODE_AGAIN_MS)
    return { kind: 'already_there' }
  const tag = codeTag(broker, row.userId, row.id, code)
  await tx.channels.setCode(row.id, tag, tx.nowMs + CODE_LASTS_MS, CODE_TRIES)
  return { kind: 'added', channel: row }
}

/** Whoever gets in could add a channel to hide behind: the others are told. */
export async function note(
  broker: Broker,
  tx: Tx,
  seal: LeafSealer,
  channel: ChannelRow,
  outcome: 'verified' | 'removed',
): Promise<void> {
  const leaf = seal(
    {
      type: 'channel',
      outcome,
      reason: 'by_user',
      core: { kind: channel.kind },
      subj: { user: channel.userId, channel: channel.id },
    },
    tx.nowMs,
  )
  await tx.log.append(leaf, tx.nowMs)
  await tellInTx(broker, tx, channel.userId, { kind: 'security_changed', id: channel.id })
}

async function isFull(broker: Broker, userId: string): Promise<boolean> {
  return (await broker.store.read(async (tx) => tx.channels.list(userId))).length >= CHANNELS_MOST
}

/** A short code is not hashed but keyed: whoever reads the database cannot try all of them. */
function codeTag({ pseudonyms }: Broker, userId: string, channelId: string, code: string): string {
  return pseudonyms.recipientTag(userId, `code ${channelId} ${code}`)
}

function isSame(given: string, kept: string | null): boolean {
  if (kept === null) return false
  const [a, b] = [Buffer.from(given), Buffer.from(kept)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text.slice(0, 4_000))
  } catch {
    return undefined
  }
}
