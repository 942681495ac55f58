import { randomBytes } from 'node:crypto'
import type { Broker } from '../../src/broker/broker.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { openText, sealText } from '../../src/broker/seal-text.ts'
import { answered } from './fake-skill.ts'
import { type Granted, grantAll, order, SECRET } from './granted-agent.ts'
import { sampleManifest } from './sample-manifest.ts'
import type { TestBroker } from './test-broker.ts'

export type ErasablePerson = Granted & {
  /** Sealed names and addresses, as they are kept. */
  readonly sealed: readonly string[]
  /** Personal words in the open, in arguments and under seal. */
  readonly planted: readonly string[]
}

/** A person with something of everything: a passkey, a session, a channel, a recipient, and an action that was done. */
export async function createErasable(test: TestBroker): Promise<ErasablePerson> {
  const { broker } = test
  test.secrets.set('coffee.order /payment_token', SECRET)
  const granted = await grantAll(broker, sampleManifest('coffee.order'))
  const { userId } = granted
  const mark = randomBytes(6).toString('hex')
  const [passkey, address, label, quote] = [
    `phone-${mark}`,
    `a${mark}@mail.example`,
    `mother-${mark}`,
    `Q-${mark}`,
  ]
  test.skill.replyNext(ordered(`O-${mark}`))
  await performAction(broker, granted.ask('order_and_pay', order(100, quote)))
  const sealed = [
    await sealText(broker, { userId, skillId: '' }, passkey),
    await sealText(broker, { userId, skillId: '' }, address),
  ] as const
  await keep(broker, userId, mark, label, sealed)
  return { ...granted, sealed, planted: [passkey, address, label, quote] }
}

/** The coffee skill's answer to an order. */
export function ordered(orderId: string) {
  return answered({ order_id: orderId, charged_amount: 100, currency: 'CNY' })
}

async function keep(
  broker: Broker,
  userId: string,
  mark: string,
  label: string,
  [name, address]: readonly [string, string],
): Promise<void> {
  await broker.store.transaction(async (tx) => {
    const [createdAtMs, who] = [tx.nowMs, { personId: userId, kind: 'user' }]
    await tx.people.insert({ ...who, status: 'active', stepUpAbove: '{}', createdAtMs, recoveredAtMs: null })
    await tx.passkeys.insert({
      ...who,
      credentialId: `cred-${mark}`,
      publicKey: Buffer.alloc(8, 1),
      counter: 0,
      transports: '[]',
      name,
      createdAtMs,
      lastUsedAtMs: null,
    })
    await tx.recoveryCodes.insert({ ...who, codeHash: `code-${mark}`, createdAtMs })
    await tx.personSessions.insert({
      ...who,
      id: `ses-${mark}`,
      tokenHash: `token-${mark}`,
      channel: 'browser',
      device: 'Firefox on Linux',
      viaProvider: false,
      signedInAtMs: createdAtMs,
      lastSeenAtMs: createdAtMs,
      steppedUpAtMs: createdAtMs,
    })
    await tx.channels.insert({
      id: `chn-${mark}`,
      userId,
      kind: 'mail',
      address,
      addressTag: mark,
      locale: 'en',
      status: 'active',
      codeHash: null,
      codeExpiresAtMs: null,
      codeTriesLeft: 0,
      failures: 0,
      createdAtMs,
      verifiedAtMs: createdAtMs,
    })
    await tx.recipients.insert({ id: `rcp-${mark}`, userId, label, value: label, createdAtMs })
  })
}

/** What the broker still has of a person, by what it is; what was counted for money is no part of it. */
export async function leftOf(broker: Broker, person: ErasablePerson) {
  const { userId } = person
  const who = { kind: 'user', id: userId } as const
  const search = { userId, agentId: null, skillId: null, status: null, fromMs: null, toMs: null }
  const page = { limit: 100, before: null }
  const rows = await broker.store.read(async (tx) => ({
    person: (await tx.people.find(who))?.status,
    erasure: (await tx.erasures.newestOf(userId))?.status,
    agents: (await tx.agents.list(userId)).length,
    grants: (await tx.grants.list(userId, page)).length,
    sessions: (await tx.personSessions.list(who)).length,
    passkeys: (await tx.passkeys.list(who)).length,
    codes: (await tx.recoveryCodes.list(who)).length,
    channels: (await tx.channels.list(userId)).length,
    messages: Number(await tx.personalRows.unsentMessages(userId)),
    recipients: (await tx.recipients.list(userId)).length,
    actions: (await tx.actions.list(search, page)).map(
      ({ status, capturedMinor, requestDigest, sentDigest, sessionId }) => ({
        status,
        capturedMinor,
        isKnown: `${requestDigest}${sentDigest ?? ''}${sessionId}` !== '',
      }),
    ),
    captured: (await tx.counters.list(userId)).map(({ held, captured }) => ({ held, captured })),
  }))
  const opens = await Promise.all(person.sealed.map((line) => openText(broker, line)))
  return {
    ...rows,
    readableTexts: opens.filter((text) => text !== undefined).length,
    readableParts: await readableParts(broker, userId),
  }
}

async function readableParts(broker: Broker, userId: string): Promise<number> {
  const places = await broker.store.read(async (tx) => tx.personalRows.partsAfter('', 100_000))
  let readable = 0
  for (const place of places.filter((part) => part.userId === userId)) {
    if (await broker.cells.find(place.cellId)) readable += 1
  }
  return readable
}
