import { createHash } from 'node:crypto'
import type Provider from 'oidc-provider'
import type { Interaction } from 'oidc-provider'
import type { Broker } from '../broker/broker.ts'
import { connectClient, continuedAgent } from '../broker/connect-client.ts'
import { moveConnection } from '../broker/move-connection.ts'
import { requestConsent } from '../broker/request-consent.ts'
import { requestStateOf } from '../broker/show-consent-request.ts'
import type { AgentRow } from '../ports/rows.ts'
import { type ClientView, clientView } from './client-view.ts'
import { type ConsentDetail, readDetails } from './consent-detail.ts'
import { askedDetails } from './granted-details.ts'
import { BASE_SCOPE } from './scopes.ts'

/** What a person is asked on the connect page, or how far their answer has come. */
export type ConnectView = {
  readonly uid: string
  readonly client: ClientView
  /** Scopes beyond what every connection has. */
  readonly scopes: readonly string[]
  /** Skills the program will ask consent for after the yes. */
  readonly skills: readonly string[]
  /** Null while nobody has answered; otherwise the questions that came of the yes. */
  readonly answered: { readonly userId: string | null; readonly requestIds: readonly string[] } | null
  /** Where the browser goes when everything is answered; back to the library, which answers the client. */
  readonly resumePath: string
}

export type Asking = {
  readonly client: ClientView
  readonly params: Readonly<Record<string, unknown>>
}

export type Connected =
  | { readonly kind: 'connected'; readonly familyId: string; readonly requestIds: readonly string[] }
  | { readonly kind: 'frozen' | 'too_many_agents' | 'move_refused' }

/** The person's side of an authorization request, in words pages understand. */
export type Connecting = {
  find(uid: string): Promise<ConnectView | undefined>
  /** The yes. A second one for the same request changes nothing. */
  accept(uid: string, userId: string, replaces: string | undefined): Promise<Connected | undefined>
  refuse(uid: string): Promise<void>
  /** The first question of these that waits for an answer. */
  firstOpen(userId: string, requestIds: readonly string[]): Promise<string | undefined>
  /** Connections of this user that a new one could take the place of, newest first. */
  replaceable(userId: string): Promise<AgentRow[]>
  /** The connection a yes goes on with, grants and all, where the program proves that it is the one from before. */
  continued(userId: string, client: ClientView): Promise<AgentRow | undefined>
}

const PROGRAM = 'Unnamed program'

export function createConnecting(broker: Broker, provider: Provider): Connecting {
  async function load(uid: string): Promise<{ interaction: Interaction; asking: Asking } | undefined> {
    const interaction = await provider.Interaction.find(uid)
    if (!interaction) return undefined
    const { params } = interaction
    const client = await provider.Client.find(String(params.client_id)).catch(() => undefined)
    if (!client) return undefined
    return { interaction, asking: { client: clientView(client, String(params.redirect_uri)), params } }
  }

  return {
    async find(uid) {
      const found = await load(uid)
      if (!found) return undefined
      const { interaction, asking } = found
      const { result } = interaction
      return {
        uid,
        ...askedOf(asking),
        answered:
          result === undefined
            ? null
            : { userId: result.login?.accountId ?? null, requestIds: requestIdsIn(result) },
        resumePath: new URL(interaction.returnTo).pathname,
      }
    },
    async accept(uid, userId, replaces) {
      const found = await load(uid)
      if (!found) return undefined
      const { interaction, asking } = found
      if (interaction.result !== undefined) return undefined
      // One request, one family: two clicks at once make one connection.
      const familyId = createHash('sha256').update(`countersign/v1/token-family\n${uid}`).digest('base64url')
      const connected = await connect(broker, provider, asking, { userId, familyId, replaces })
      if (connected.kind !== 'connected') return connected
      interaction.result = {
        login: { accountId: userId, remember: false },
        consent: { grantId: familyId },
        countersign: { requestIds: [...connected.requestIds] },
      }
      await interaction.persist()
      return connected
    },
    async refuse(uid) {
      const interaction = await provider.Interaction.find(uid)
      if (!interaction || interaction.result !== undefined) return
      interaction.result = {
        error: 'access_denied',
        error_description: 'the person said no to this connection',
      }
      await interaction.persist()
    },
    firstOpen: (userId, requestIds) =>
      broker.store.read(async (tx) => {
        for (const requestId of requestIds) {
          const request = await tx.consentRequests.find(requestId)
          if (request?.userId === userId && requestStateOf(request, tx.nowMs) === 'pending') return requestId
        }
        return undefined
      }),
    replaceable: (userId) =>
      broker.store.read(async (tx) => {
        const agents = await tx.agents.list(userId)
        return agents.filter(({ status }) => status === 'connected').reverse()
      }),
    continued: (userId, client) => broker.store.read((tx) => continuedAgent(tx, userId, client)),
  }
}

/** What a request asks, apart from where its answer goes. */
export function askedOf({ client, params }: Asking): Pick<ConnectView, 'client' | 'scopes' | 'skills'> {
  return {
    client,
    scopes: scopesIn(params).filter((scope) => scope !== BASE_SCOPE),
    skills: [...new Set(detailsIn(params).map(({ request }) => request.skill))],
  }
}

/**
 * Connects a program on its user's yes, lets it take an older one's place where the user chose that, and puts the
 * questions it came with before the user. Questions that may not be asked now are left out: the program can ask again.
 */
export async function connect(
  broker: Broker,
  provider: Provider,
  { client, params }: Asking,
  answer: { userId: string; familyId: string; replaces: string | undefined },
): Promise<Connected> {
  const { userId, familyId, replaces } = answer
  const name = client.claimedName === '' ? PROGRAM : client.claimedName
  const { id, host, isConfidential } = client
  const connected = await connectClient(broker, {
    userId,
    familyId,
    client: { id, host, name, isConfidential },
  })
  if (connected.kind !== 'connected') return connected
  const { agent } = connected
  if (replaces !== undefined && replaces !== agent.id) {
    const moved = await moveConnection(broker, { userId, fromAgentId: replaces, toAgentId: agent.id })
    if (moved.kind !== 'moved') return { kind: 'move_refused' }
  }
  const requestIds: string[] = []
  for (const { request } of detailsIn(params)) {
    const asked = await requestConsent(broker, { ...request, userId, agentId: agent.id })
    if (asked.kind === 'pending') requestIds.push(asked.request.id)
  }
  const grant = new provider.Grant({ accountId: userId, clientId: id, rar: askedDetails(requestIds) })
  grant.jti = familyId
  for (const resource of [params.resource].flat()) {
    if (typeof resource === 'string') grant.addResourceScope(resource, scopesIn(params))
  }
  grant.addOIDCScope(scopesIn(params))
  await grant.save()
  return { kind: 'connected', familyId, requestIds }
}

function detailsIn(params: Asking['params']): readonly ConsentDetail[] {
  return readDetails(params.authorization_details)
}

function scopesIn(params: Asking['params']): string[] {
  return String(params.scope ?? '')
    .split(' ')
    .filter((scope) => scope !== '')
}

function requestIdsIn(result: NonNullable<Interaction['result']>): string[] {
  const { countersign } = result
  if (typeof countersign !== 'object' || countersign === null || !('requestIds' in countersign)) return []
  return Array.isArray(countersign.requestIds) ? countersign.requestIds.map(String) : []
}
