import { isIP, type LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import { type EgressPolicy, mayReach, type Resolve, resolveForEgress } from './egress-guard.ts'

/** Raised inside a connection attempt; its code says why nothing was sent. */
export class EgressRefused extends Error {
  readonly code: 'blocked_address' | 'dns_failed'

  constructor(code: 'blocked_address' | 'dns_failed', origin: string) {
    super(`${code} for ${origin}`)
    this.name = 'EgressRefused'
    this.code = code
  }
}

export interface ConnectorOptions {
  readonly policy: EgressPolicy
  readonly resolve: Resolve
  readonly connectTimeoutMs: number
  /** PEM certificates trusted besides the system's, for development skills with a certificate of their own. */
  readonly extraCa?: readonly string[]
  readonly defaultCa: readonly string[]
}

/**
 * Opens connections for undici. Names are resolved and checked inside the socket's own lookup, so the address that
 * was checked is the address that is dialled, and a name that changes its answer (DNS rebinding) gains nothing;
 * the peer of the finished connection is compared with the policy once more before a byte is written.
 */
export function guardedConnector(options: ConnectorOptions): buildConnector.connector {
  const { policy, resolve } = options
  // One connector per origin, because the lookup has to know for which origin it answers.
  const connectors = new Map<string, buildConnector.connector>()

  function connectorFor(origin: string): buildConnector.connector {
    const existing = connectors.get(origin)
    if (existing) return existing
    const made = buildConnector({
      allowH2: false,
      timeout: options.connectTimeoutMs,
      lookup: guardedLookup(origin, policy, resolve),
      ...(options.extraCa ? { ca: [...options.defaultCa, ...options.extraCa] } : {}),
    })
    connectors.set(origin, made)
    if (connectors.size > 1_000) connectors.delete(connectors.keys().next().value ?? origin)
    return made
  }

  return (target, callback) => {
    const origin = new URL(`${target.protocol}//${target.host ?? target.hostname}`).origin
    // An address literal is never looked up, so it is checked here.
    if (isIP(target.hostname) !== 0 && !mayReach(target.hostname, origin, policy)) {
      return callback(new EgressRefused('blocked_address', origin), null)
    }
    connectorFor(origin)(target, (error, socket) => {
      if (error) return callback(error, null)
      const peer = socket.remoteAddress
      if (peer !== undefined && mayReach(peer, origin, policy)) return callback(null, socket)
      socket.destroy()
      // Without a peer the connection is already gone again.
      callback(peer ? new EgressRefused('blocked_address', origin) : new Error('connection lost'), null)
    })
  }
}

function guardedLookup(origin: string, policy: EgressPolicy, resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    resolveForEgress(hostname, origin, policy, resolve).then(
      (verdict) => {
        if (!verdict.ok) return callback(new EgressRefused(verdict.code, origin), '', 0)
        const addresses = verdict.addresses.map(({ address, family }) => ({ address, family }))
        const first = addresses[0]
        if (options.all) return callback(null, addresses)
        if (first) return callback(null, first.address, first.family)
        callback(new EgressRefused('dns_failed', origin), '', 0)
      },
      () => callback(new EgressRefused('dns_failed', origin), '', 0),
    )
  }
}
