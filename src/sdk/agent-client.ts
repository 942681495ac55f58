import { randomUUID } from 'node:crypto'
import type { z } from 'zod'
import type { Receipt } from '../core/execution/receipt.ts'
import { receiptShape } from '../core/execution/receipt.ts'
import type { Deployment } from '../core/model/deployment.ts'
import {
  type ActionOutcome,
  type ActionPreview,
  type AgentTool,
  type ApprovalAsked,
  type Authority,
  actionAnswer,
  actionOutcome,
  approvalAsked,
  authority,
  type ConsentAsked,
  claimedDeployments,
  consentAsked,
  forgotten,
  previewAnswer,
  type Recalled,
  type Remembered,
  recalled,
  remembered,
  type SkillSummary,
  skillList,
  toolList,
} from './agent-answers.ts'
import type { Credential } from './agent-credential.ts'
import { type Answered, succeeded } from './agent-fault.ts'
import type {
  ActionRequest,
  ConsentWish,
  MemoryWish,
  PerformAnswer,
  Question,
  QuestionEnd,
  RecallWish,
} from './agent-request.ts'
import { awaitAnswer } from './await-answer.ts'
import { type BrokerRequest, DEFAULT_DEPS, openTransport, type TransportDeps } from './broker-transport.ts'
import { performed } from './read-performed.ts'

export type AgentClientOptions = {
  /** The broker as it names itself, such as `https://broker.example`. */
  readonly broker: string
  readonly credential: Credential
} & Partial<TransportDeps>

export type CallOptions = {
  readonly signal?: AbortSignal | undefined
  /** How long to go on while the broker cannot answer, in milliseconds; a minute unless told otherwise. */
  readonly patienceMs?: number
}

/** What an agent's program may ask a broker for. Nothing is thrown: a fault is a value with a stable code. */
export interface AgentClient {
  /** A key for one action, to be kept before it is sent. */
  newKey(): string
  /** Asks for one action, at most once under its key however often it has to be sent. */
  perform(request: ActionRequest, options?: CallOptions): Promise<PerformAnswer>
  /** Says what would be decided now. Nothing is done, held or logged. */
  preview(request: ActionRequest, options?: CallOptions): Promise<Answered<ActionPreview>>
  showAction(actionId: string, options?: CallOptions): Promise<Answered<ActionOutcome>>
  /** The signed receipt of an action; `receipt_not_yet` until its leaves are under a checkpoint. */
  receipt(actionId: string, options?: CallOptions): Promise<Answered<Receipt>>
  /** Puts a consent request before the user. Asked again while it is open, it is the same question. */
  askConsent(wish: ConsentWish, options?: CallOptions): Promise<Answered<ConsentAsked>>
  consent(requestId: string, options?: CallOptions): Promise<Answered<ConsentAsked>>
  approval(approvalId: string, options?: CallOptions): Promise<Answered<ApprovalAsked>>
  /** Waits until the user has answered, holding one call at a time at the broker. */
  awaitAnswer(
    question: Pick<Question, 'kind' | 'id'>,
    options?: CallOptions & { readonly withinMs?: number },
  ): Promise<Answered<QuestionEnd>>
  /** The grants of this agent, and what is left of budgets where the user shares it. */
  authority(options?: CallOptions): Promise<Answered<Authority>>
  /** Actions to give to a model, of skills with a grant and of one more that is named. */
  tools(options?: CallOptions & { readonly skill?: string }): Promise<Answered<readonly AgentTool[]>>
  skills(options?: CallOptions): Promise<Answered<readonly SkillSummary[]>>
  /** Keeps something until the time manifest, grant and platform allow; at most once under its key. */
  remember(item: MemoryWish, options?: CallOptions): Promise<Answered<Remembered>>
  /** What this agent keeps and has not expired: by key, class or words. */
  recall(wanted?: RecallWish, options?: CallOptions): Promise<Answered<Recalled>>
  /** Destroys what a key names. Resolves to how many items there were; `not_found` where there was none. */
  forget(
    named: { readonly skill: string; readonly key: string; readonly class?: string },
    options?: CallOptions,
  ): Promise<Answered<number>>
  /** Says once which models this agent runs on, where its user has registered none. Resolves to their ids. */
  claimDeployments(
    deployments: readonly Deployment[],
    options?: CallOptions,
  ): Promise<Answered<readonly string[]>>
}

/** Opens a client for one connected agent. @throws TypeError if the broker's address is not an http(s) origin. */
export function createAgentClient(options: AgentClientOptions): AgentClient {
  const { credential, broker: address, ...given } = options
  const { origin, protocol } = new URL(address)
  if (origin !== address.replace(/\/$/, '') || !/^https?:$/.test(protocol)) {
    throw new TypeError('broker is an http or https origin, without a path')
  }
  const deps: TransportDeps = { ...DEFAULT_DEPS, ...given }
  const transport = openTransport(origin, credential, deps)

  async function get<Shape extends z.ZodType>(path: string, shape: Shape, about?: CallOptions) {
    const answer = await transport({ method: 'GET', path, shape, ...about })
    return answer.ok ? succeeded(answer.value.value) : answer
  }
  async function post<Shape extends z.ZodType>(
    path: string,
    body: unknown,
    shape: Shape,
    about?: CallOptions & Partial<BrokerRequest<Shape>>,
  ) {
    const answer = await transport({ method: 'POST', path, body, shape, ...about })
    return answer.ok ? succeeded(answer.value.value) : answer
  }
  const named = (path: string, id: string) => `${path}/${encodeURIComponent(id)}`

  return {
    newKey: randomUUID,
    async perform({ key = randomUUID(), ...request }, about) {
      const answer = await transport({
        method: 'POST',
        path: '/v1/actions',
        body: request,
        idempotencyKey: key,
        shape: actionAnswer,
        ...about,
      })
      return { ...performed(answer), key }
    },
    preview({ key: _, ...request }, about) {
      return post('/v1/actions', { ...request, dryRun: true }, previewAnswer, about)
    },
    showAction: (id, about) => get(named('/v1/actions', id), actionOutcome, about),
    receipt: (id, about) => get(`${named('/v1/actions', id)}/receipt`, receiptShape, about),
    askConsent: (wish, about) => post('/v1/consent-requests', wish, consentAsked, about),
    consent: (id, about) => get(named('/v1/consent-requests', id), consentAsked, about),
    approval: (id, about) => get(named('/v1/approvals', id), approvalAsked, about),
    awaitAnswer: (question, about) => awaitAnswer(transport, deps, question, about),
    authority: (about) => get('/v1/authority', authority, about),
    async tools({ skill, ...about } = {}) {
      const query = skill === undefined ? '' : `?${new URLSearchParams({ skill })}`
      const answer = await get(`/v1/tools${query}`, toolList, about)
      return answer.ok ? succeeded(answer.value.items) : answer
    },
    async skills(about) {
      const answer = await get('/v1/skills', skillList, about)
      return answer.ok ? succeeded(answer.value.items) : answer
    },
    remember({ idempotencyKey = randomUUID(), ...item }, about) {
      return post('/v1/memory', item, remembered, { idempotencyKey, ...about })
    },
    recall: (wanted = {}, about) => post('/v1/memory/recall', wanted, recalled, about),
    async forget(named, about) {
      const answer = await post('/v1/memory/forget', named, forgotten, about)
      return answer.ok ? succeeded(answer.value.items) : answer
    },
    async claimDeployments(deployments, about) {
      const answer = await post('/v1/deployments/claim', { deployments }, claimedDeployments, about)
      return answer.ok ? succeeded(answer.value.deployments.map(({ id }) => id)) : answer
    },
  }
}
