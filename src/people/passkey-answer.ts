import type {
  AuthenticationResponseJSON,
  AuthenticatorTransport,
  RegistrationResponseJSON,
} from '@simplewebauthn/server'
import { z } from 'zod'

const bytes = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[A-Za-z0-9_-]+$/)
const credential = {
  id: bytes(1_400),
  rawId: bytes(1_400),
  type: z.literal('public-key'),
  authenticatorAttachment: z.enum(['platform', 'cross-platform']).nullish(),
  clientExtensionResults: z.looseObject({}).default({}),
}

const TRANSPORTS = ['ble', 'hybrid', 'internal', 'nfc', 'usb'] as const

const registrationShape = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: bytes(4_000),
    attestationObject: bytes(40_000),
    transports: z.array(z.string().max(20)).max(10).default([]),
  }),
})

const assertionShape = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: bytes(4_000),
    authenticatorData: bytes(4_000),
    signature: bytes(4_000),
    userHandle: bytes(100).nullish(),
  }),
})

/** What a browser made of a registration; undefined for anything else. */
export function parseRegistration(text: string): RegistrationResponseJSON | undefined {
  const parsed = parse(registrationShape, text)
  if (!parsed) return undefined
  const { id, rawId, type, response } = parsed
  return {
    id,
    rawId,
    type,
    clientExtensionResults: {},
    response: {
      clientDataJSON: response.clientDataJSON,
      attestationObject: response.attestationObject,
      transports: knownTransports(response.transports),
    },
  }
}

/** What a browser made of a sign-in or step-up; undefined for anything else. */
export function parseAssertion(text: string): AuthenticationResponseJSON | undefined {
  const parsed = parse(assertionShape, text)
  if (!parsed) return undefined
  const { id, rawId, type, response } = parsed
  const { clientDataJSON, authenticatorData, signature, userHandle } = response
  return {
    id,
    rawId,
    type,
    clientExtensionResults: {},
    response: { clientDataJSON, authenticatorData, signature, ...(userHandle ? { userHandle } : {}) },
  }
}

/** Transports by the names of WebAuthn section 5.8.4; others are dropped. */
export function knownTransports(names: readonly string[]): AuthenticatorTransport[] {
  return TRANSPORTS.filter((name) => names.includes(name))
}

/** The challenge an answer says it is to; undefined if it names none. Nothing of it is trusted yet. */
export function challengeOf(clientDataJson: string): string | undefined {
  const shape = z.object({ challenge: bytes(200) })
  return parse(shape, Buffer.from(clientDataJson, 'base64url').toString('utf8'))?.challenge
}

function parse<Shape extends z.ZodType>(shape: Shape, text: string): z.infer<Shape> | undefined {
  try {
    return shape.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
