import { exportJWK, generateKeyPair } from 'jose'
import { z } from 'zod'
import { type PublicJwk, parsePublicJwk, thumbprintOf } from '../core/manifest/public-key.ts'
import type { PrivateJwk } from './detached-jws.ts'

/** Makes a new key pair for a publisher; Ed25519 unless P-256 is asked for. */
export async function generatePublisherKey(alg: PublicJwk['alg'] = 'EdDSA'): Promise<PrivateJwk> {
  const pair = await generateKeyPair(
    alg,
    alg === 'EdDSA' ? { crv: 'Ed25519', extractable: true } : { extractable: true },
  )
  const { x, y, d } = coordinates.parse(await exportJWK(pair.privateKey))
  const members =
    alg === 'EdDSA'
      ? ({ kty: 'OKP', crv: 'Ed25519', x, alg: 'EdDSA' } as const)
      : ({ kty: 'EC', crv: 'P-256', x, y: y ?? '', alg: 'ES256' } as const)
  return { ...members, kid: thumbprintOf(members), d }
}

/**
 * Parses a private key file as `generatePublisherKey` makes them; undefined for anything else. That `d`
 * belongs to the public half shows at the first signature that is verified.
 */
export function parsePrivateJwk(value: unknown): PrivateJwk | undefined {
  const parsed = z.looseObject({ d: z.string().regex(/^[A-Za-z0-9_-]{43}$/) }).safeParse(value)
  if (!parsed.success) return undefined
  const { d, ...rest } = parsed.data
  const publicHalf = parsePublicJwk(rest)
  return publicHalf.ok ? { ...publicHalf.jwk, d } : undefined
}

/** The half that may be published. */
export function publicHalfOf({ d: _secret, ...publicJwk }: PrivateJwk): PublicJwk {
  return publicJwk
}

const coordinates = z.object({ x: z.string(), y: z.string().optional(), d: z.string() })
