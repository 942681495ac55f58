import { z } from 'zod'
import { deletionShape } from './deletion.ts'
import { endpointShape } from './endpoint.ts'
import { eventsShape } from './events.ts'
import { publicJwkShape } from './public-key.ts'

/** What an action can do in the world. An action that names none is refused: the widest would be meant. */
export const EFFECTS = ['read', 'state-change', 'spend', 'physical', 'egress', 'authority'] as const
export type Effect = (typeof EFFECTS)[number]

export const SKILL_ID = /^[a-z0-9]+(\.[a-z0-9]+)+$/
export const ACTION_NAME = /^[a-z][a-z0-9_]{0,47}$/
const PUBLISHER_ID = /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/
/** What MCP allows, and a little more: servers are older than the rule. */
const TOOL_NAME = /^[\x21-\x7e]{1,128}$/
const CLASS_NAME = /^[a-z][a-z0-9_]{0,47}$/

const text = (max: number) => z.string().min(1).max(max)
/** A text a person reads, in both languages the pages speak. */
export const bilingual = (max: number) => z.strictObject({ en: text(max), zh: text(max) })
export type Bilingual = { en: string; zh: string }

const pointer = z
  .string()
  .max(256)
  .regex(/^(\/([^~/]|~0|~1)*)+$/, 'must be a JSON Pointer such as /total')
const currencyCode = z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code in capitals')
const minor = z.int().min(0)

/** Where an amount stands, and in which form: an integer of minor units, or a decimal string. */
const amountPlace = z.union([
  z.strictObject({ pointer, currencyPointer: pointer, form: z.enum(['minor', 'decimal']) }),
  z.strictObject({ pointer, currency: currencyCode, form: z.enum(['minor', 'decimal']) }),
])
export type AmountPlace = z.infer<typeof amountPlace>

/**
 * One of the publisher's other actions, called by the broker for the user (a clean-up call, or a preview).
 * Every argument comes from the recorded execution: from its arguments, its result or its execution id.
 */
const companion = z.strictObject({
  action: z.string().regex(ACTION_NAME),
  arguments: z.record(
    pointer,
    z.union([
      z.strictObject({ from: z.enum(['arguments', 'result']), pointer }),
      z.strictObject({ from: z.enum(['executionId', 'brokerKey']) }),
    ]),
  ),
})
export type Companion = z.infer<typeof companion>

/** A JSON Schema 2020-12 of the closed profile in core/schema/schema-profile.ts, which checks it in depth. */
const schema = z.record(z.string(), z.json())

const action = z.strictObject({
  name: z.string().regex(ACTION_NAME),
  title: bilingual(80),
  description: bilingual(400),
  effects: z.array(z.enum(EFFECTS)).min(1).max(EFFECTS.length),
  /** Appended to the endpoint's base URL; the call is a POST of the canonical arguments. Of http skills only. */
  path: z
    .string()
    .max(200)
    .regex(/^(\/[A-Za-z0-9_.~-]+)+$/, 'must be a plain path such as /orders')
    .optional(),
  /** The tool this action is, of MCP skills only. */
  tool: z
    .strictObject({
      name: z.string().regex(TOOL_NAME, 'must be a name of visible ASCII characters'),
      /** SHA-256 of the RFC 8785 form of the definition as the server gives it; see tool-definition.ts. */
      digest: z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be a base64url SHA-256'),
      /**
       * Where the result is: the structured content, the one text block that is JSON, all text as `{"text": …}`, or all
       * blocks as `{"content": […]}`.
       */
      answers: z.enum(['structured', 'json', 'text', 'content']),
    })
    .optional(),
  timeoutMs: z.int().min(100).max(60_000),
  input: schema,
  result: schema,
  /** Recipients, by id, that get what is sent. */
  recipients: z.array(z.string().max(64)).max(16),
  /** Memory classes this action may write at the skill. */
  remembers: z.array(z.string().regex(CLASS_NAME)).max(16),
  /** Required for an action with the effect `spend`. */
  spends: z
    .strictObject({
      amount: amountPlace,
      /** Where the result says what was really taken; without it the whole reservation counts as taken. */
      charged: amountPlace.optional(),
      /** The most one call can cost, per currency; a currency not listed cannot be charged. */
      most: z.record(currencyCode, minor),
      /** How often the skill takes the amount again by itself; all of it is reserved at once. */
      recurs: z.strictObject({ countPointer: pointer, most: z.int().min(1).max(120) }).optional(),
      /** The argument that names the execution whose debt this payment settles. */
      pays: z.strictObject({ executionPointer: pointer, payeePointer: pointer }).optional(),
    })
    .optional(),
  /** The result says what is owed to whom; a later payment that names this execution must equal it. */
  owes: z.strictObject({ payeePointer: pointer, amount: amountPlace }).optional(),
  /** Always ask first, whatever the user says: adding a payee is such an action. */
  addsRecipient: z.boolean().optional(),
  /**
   * How the skill says no, with its own code at the pointer: these statuses of an http skill, or an MCP tool's result
   * that is marked as an error. Everything else is not a refusal.
   */
  refusal: z
    .strictObject({
      statuses: z.array(z.int().min(400).max(499)).min(1).max(8).optional(),
      codePointer: pointer,
    })
    .optional(),
  /** Where the result carries the skill's signed receipt; a status action must have one. */
  receiptPointer: pointer.optional(),
  /** The skill promises that one broker key is executed once, so an in-doubt call may be sent again. */
  honoursKeys: z.boolean(),
  preview: companion.optional(),
  status: companion.optional(),
  cancel: companion.optional(),
  stop: companion.optional(),
  undo: z.strictObject({ ...companion.shape, withinSeconds: z.int().min(1).max(31_536_000) }).optional(),
  /** How the broker asks again after a 202. */
  poll: z
    .strictObject({ everySeconds: z.int().min(1).max(3600), forSeconds: z.int().min(1).max(604_800) })
    .optional(),
})
export type ManifestAction = z.infer<typeof action>

const url = z.string().min(1).max(300)

/**
 * An account or a payment means that a user links once: OAuth's code flow with PKCE at the skill. Its access token
 * fills the named fields of kind `account`; without a link such a field is filled with the pairwise id.
 */
const link = z.strictObject({
  id: z.string().regex(CLASS_NAME),
  means: z.enum(['account', 'payment']),
  title: bilingual(80),
  /** Compared with the `iss` that comes back (RFC 9207), which must be there. */
  issuer: url,
  authorizationEndpoint: url,
  tokenEndpoint: url,
  /** RFC 7009; told when the user unlinks. */
  revocationEndpoint: url.optional(),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/))
    .min(1)
    .max(16),
  fills: z.array(pointer).min(1).max(64),
})
export type ManifestLink = z.infer<typeof link>

/** The signed list of all a skill may ever be asked. Shape only; lint-manifest.ts checks what it means. */
export const manifestShape = z.strictObject({
  manifestVersion: z.literal(1),
  skill: z.string().max(64).regex(SKILL_ID, 'must be lower-case dotted parts such as coffee.order'),
  version: z.int().min(1),
  publisher: z.string().regex(PUBLISHER_ID),
  title: bilingual(60),
  description: bilingual(400),
  endpoint: endpointShape,
  /** Public keys the skill signs receipts and status answers with. */
  runtimeKeys: z.array(publicJwkShape).max(8),
  /** The skill promises to check each call's action token (P9). Unless it says so, it is shown as one that does not. */
  verifiesCalls: z.boolean().optional(),
  /** Data categories used by the fields, with the name a person reads. */
  categories: z.record(z.string().regex(CLASS_NAME), bilingual(80)),
  recipients: z
    .array(
      z.strictObject({
        id: z.string().min(1).max(64),
        role: z.enum(['merchant', 'payment', 'courier', 'counterparty', 'processor', 'site', 'operator']),
        title: bilingual(80),
        categories: z.array(z.string().regex(CLASS_NAME)).max(32),
      }),
    )
    .max(16),
  memory: z
    .array(
      z.strictObject({
        class: z.string().regex(CLASS_NAME),
        title: bilingual(80),
        categories: z.array(z.string().regex(CLASS_NAME)).max(32),
        /** The longest the skill keeps it; 0 with sessionOnly false means "not at all after the answer". */
        maxDays: z.int().min(0).max(3650),
        sessionOnly: z.boolean(),
      }),
    )
    .max(16),
  /** Where the skill is told to delete what it remembers. */
  deletion: deletionShape.optional(),
  /** Where the skill is told that authority was taken back. Without it, it learns at its next call. */
  events: eventsShape.optional(),
  /** Accounts users link at the skill. */
  links: z.array(link).max(8).optional(),
  actions: z.array(action).min(1).max(64),
})
export type Manifest = z.infer<typeof manifestShape>

export function findAction(manifest: Manifest, name: string): ManifestAction | undefined {
  return manifest.actions.find((candidate) => candidate.name === name)
}

/**
 * The audience of an action's token: for an http skill the URL that is called, for an MCP skill that of the server with
 * the tool as its fragment (`stdio:` and the skill where there is no URL).
 */
export function endpointOf({ endpoint, skill }: Manifest, action: ManifestAction): string {
  switch (endpoint.transport) {
    case 'http':
      return endpoint.baseUrl.replace(/\/$/, '') + (action.path ?? '')
    case 'mcp':
      return `${endpoint.url}#${action.tool?.name ?? ''}`
    case 'mcp-stdio':
      return `stdio:${skill}#${action.tool?.name ?? ''}`
    case 'guard':
      return `guard:${skill}#${action.name}`
  }
}
