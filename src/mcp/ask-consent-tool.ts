import { z } from 'zod'
import { consentQuestion } from '../broker/agent-question.ts'
import { consentRequestShape } from '../broker/consent-wish.ts'
import { type ConsentRequested, requestConsent } from '../broker/request-consent.ts'
import { plainJson } from '../core/manifest/manifest-change.ts'
import { askedOf } from './ask-for-consent.ts'
import type { AgentCaller } from './call-context.ts'
import type { McpDeps } from './mcp-deps.ts'
import { describeOwnTool, type OwnTool } from './own-tool.ts'
import { ownResult, refusedResult } from './tool-answer.ts'

const text = (description: string) => ({ type: 'string', description }) as const
const names = (description: string) => ({ type: 'array', items: { type: 'string' }, description }) as const

/** Asks the user to allow actions of one skill. What is left out is filled in as narrowly as makes sense. */
export const askConsentTool: OwnTool = {
  tool: describeOwnTool({
    name: 'countersign_ask_consent',
    title: 'Ask the user for consent',
    description:
      'Asks the user to allow you certain actions of one skill. Returns a link where the user answers, and a reference for countersign_check_answer. Ask for no more than the task needs.',
    properties: {
      skill: text('The id of the skill, as countersign_find_skills has it.'),
      actions: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            name: text('The action, without the skill.'),
            constraints: {
              type: 'array',
              items: { type: 'object', properties: {} },
              description: 'Limits on its arguments, such as {"kind":"range","pointer":"/total","max":5000}.',
            },
          },
          required: ['name'],
        },
        description: 'What you want to do. Needed unless you renew a grant.',
      },
      budgets: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            measure: { type: 'string', enum: ['amount'] },
            currency: text('ISO 4217, in capitals.'),
            limit: { type: 'integer', minimum: 0, description: 'In minor units.' },
            window: {
              type: 'object',
              properties: {
                kind: { type: 'string', enum: ['per_action', 'calendar', 'lifetime'] },
                period: { type: 'string', enum: ['day', 'week', 'month'], description: 'With calendar.' },
              },
              required: ['kind'],
            },
          },
          required: ['measure', 'currency', 'limit', 'window'],
        },
        description: 'Needed for actions that spend.',
      },
      askFirst: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            kind: { type: 'string', enum: ['always', 'above_amount', 'new_recipient'] },
            actions: names('Which of the actions; all that do more than read if left out.'),
            currency: text('With above_amount: ISO 4217, in capitals.'),
            amountMinor: { type: 'integer', minimum: 0, description: 'With above_amount: in minor units.' },
          },
          required: ['kind'],
        },
        description: 'When the user wants to be asked before single calls.',
      },
      categories: names('Data of the results you need to see; what is not listed is left out of results.'),
      purpose: text('In your words, why; shown to the user as your claim. At most 300 characters.'),
      oneTime: { type: 'boolean', description: 'Whether once is enough.' },
      sharesBudget: { type: 'boolean', description: 'Whether you need to know what is left of budgets.' },
      retentionDays: {
        type: 'object',
        properties: {},
        description: 'Days the skill may keep each memory class.',
      },
      expiresAtMs: { type: 'integer', description: 'Unix milliseconds; thirty days if left out.' },
      renewsGrantId: text('A grant of yours that a new version of the skill has outdated.'),
    },
    required: ['skill'],
    readOnly: false,
  }),
  async run(deps, { caller, arguments: args }) {
    const wish = consentRequestShape.safeParse(args)
    if (!wish.success) {
      return refusedResult({ code: 'invalid_arguments', detail: z.prettifyError(wish.error), next: '' })
    }
    const { userId, agentId } = caller
    return answer(deps, caller, await requestConsent(deps.broker, { ...wish.data, userId, agentId }))
  },
}

function answer({ broker }: McpDeps, _caller: AgentCaller, requested: ConsentRequested) {
  switch (requested.kind) {
    case 'pending': {
      const asked = askedOf(broker, consentQuestion(requested.request, broker.store.now().nowMs))
      const lines = [
        requested.isNew ? 'The user is asked.' : 'The user was asked this already, and has not answered yet.',
        `The user answers here: ${asked.url}`,
        `Reference: ${asked.id}`,
        'Next: tell the user where to answer. Then call the tools of the skill; if they are not in your list yet, reconnect.',
      ]
      return ownResult(lines.join('\n'), { ...asked })
    }
    case 'invalid':
      return refusedResult({
        code: 'invalid_terms',
        detail: requested.faults.map(({ pointer, detail }) => `${pointer}: ${detail}`).join(' '),
        next: 'Mend what is named and ask again.',
        facts: { faults: plainJson(requested.faults) },
      })
    case 'cooling_down':
      return refusedResult({
        code: 'asked_too_often',
        detail: 'The user said no a short while ago.',
        next: 'Do something else; the user is not asked again for a while.',
        facts: { untilMs: requested.untilMs },
      })
    case 'too_many_open':
      return refusedResult({
        code: 'asked_too_often',
        detail: 'Too many of your questions wait for the user already.',
        next: 'Wait until they are answered.',
      })
    case 'renewal_differs':
      return refusedResult({
        code: 'renewal_differs',
        detail: `A renewal asks for what the grant has. These differ: ${requested.fields.join(', ')}.`,
        next: 'Leave them out, or ask for a new consent.',
      })
    case 'nothing_to_renew':
    case 'not_found':
    case 'skill_unknown':
    case 'skill_suspended':
    case 'frozen':
    case 'agent_not_connected':
      return refusedResult({ code: requested.kind, detail: WORDS[requested.kind], next: '' })
  }
}

const WORDS = {
  nothing_to_renew: 'The grant is not outdated.',
  not_found: 'The grant to renew is not one of yours, or has ended.',
  skill_unknown: 'No approved skill has this name.',
  skill_suspended: 'The skill is suspended.',
  frozen: 'The operators of the platform have stopped what this goes through.',
  agent_not_connected: 'The user has not connected you.',
} as const
