import { promises as dns } from 'node:dns'
import { isIP } from 'node:net'
import { classifyAddress } from './address-class.ts'

export interface ResolvedAddress {
  readonly address: string
  readonly family: 4 | 6
}

/** Answers every address of a name; rejects when there is none. */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>

export interface EgressPolicy {
  /** Exact origins (`http://127.0.0.1:4001`) that may be plain http and on this machine or a private network. */
  readonly devOrigins: readonly string[]
}

export interface Endpoint {
  readonly origin: string
  /** Path and query, as they are sent. */
  readonly path: string
}

export type EndpointVerdict =
  | { readonly ok: true; readonly endpoint: Endpoint }
  | { readonly ok: false; readonly code: 'bad_endpoint' | 'blocked_address' }

export type AddressVerdict =
  | { readonly ok: true; readonly addresses: readonly ResolvedAddress[] }
  | { readonly ok: false; readonly code: 'blocked_address' | 'dns_failed' }

/** Names that mean this machine or its network whatever a resolver says (RFC 6761, RFC 6762, RFC 8375). */
const LOCAL_NAMES = /(^|\.)(localhost|local|internal|intranet|localdomain|home\.arpa)$/

/**
 * What the WHATWG parser would silently drop, fold or reinterpret; a signed manifest has no reason to contain it.
 * Non-ASCII is among it, so that look-alike hosts are written in punycode where people can see them.
 */
const SUSPICIOUS_SPELLING = /[^\x21-\x7e]|[\\#]|^\w+:(?!\/\/[^/])/

/**
 * Checks an endpoint before anything is resolved: absolute https URL, no user info, no fragment, and, where the
 * host is an address in any spelling, a permitted address. Names are checked again when they are resolved.
 */
export function checkEndpoint(text: string, policy: EgressPolicy): EndpointVerdict {
  if (SUSPICIOUS_SPELLING.test(text) || !URL.canParse(text)) return { ok: false, code: 'bad_endpoint' }
  const url = new URL(text)
  const isDev = isDevOrigin(url.origin, policy)
  const schemeFits = url.protocol === 'https:' || (url.protocol === 'http:' && isDev)
  if (!schemeFits || url.username !== '' || url.password !== '' || authorityHasAt(text)) {
    return { ok: false, code: 'bad_endpoint' }
  }
  // Port 0 cannot be connected to; some stacks pick a port of their own for it.
  if (url.hostname === '' || url.port === '0') return { ok: false, code: 'bad_endpoint' }

  const host = hostOf(url)
  if (isIP(host) !== 0) {
    if (!mayReach(host, url.origin, policy)) return { ok: false, code: 'blocked_address' }
  } else if (!isDev && (LOCAL_NAMES.test(host) || !host.includes('.'))) {
    return { ok: false, code: 'blocked_address' }
  }
  return { ok: true, endpoint: { origin: url.origin, path: `${url.pathname}${url.search}` } }
}

/**
 * Resolves a host once and refuses if any of its addresses is not permitted: a name that points both at the
 * internet and at this network is an attack or a mistake, and picking the good half would hide it.
 */
export async function resolveForEgress(
  hostname: string,
  origin: string,
  policy: EgressPolicy,
  resolve: Resolve,
): Promise<AddressVerdict> {
  const family = isIP(hostname)
  const addresses =
    family === 4 || family === 6
      ? [{ address: hostname, family } as const]
      : await resolve(hostname).catch(() => [])
  if (addresses.length === 0) return { ok: false, code: 'dns_failed' }
  const permitted = addresses.every((found) => mayReach(found.address, origin, policy))
  return permitted ? { ok: true, addresses } : { ok: false, code: 'blocked_address' }
}

/** Whether a connection of this origin may be open to this address; also asked of the socket itself. */
export function mayReach(address: string, origin: string, policy: EgressPolicy): boolean {
  const found = classifyAddress(address)
  if (found === 'local') return isDevOrigin(origin, policy)
  // Plain http never crosses the internet: the action token would be readable on the way.
  return found === 'public' && origin.startsWith('https:')
}

/** The system resolver (hosts file included), with every address and in the order the system prefers. */
export async function resolveWithSystem(hostname: string): Promise<readonly ResolvedAddress[]> {
  const found = await dns.lookup(hostname, { all: true, order: 'verbatim' })
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }))
}

/** Finds the faults of a configured development allow-list; an entry must be an origin exactly as URL prints it. */
export function devOriginFaults(devOrigins: readonly string[]): string[] {
  return devOrigins
    .filter((entry) => !URL.canParse(entry) || new URL(entry).origin !== entry || !/^https?:/.test(entry))
    .map(
      (entry) =>
        `${JSON.stringify(entry)} is not an exact http or https origin such as http://127.0.0.1:4001`,
    )
}

function isDevOrigin(origin: string, policy: EgressPolicy): boolean {
  return policy.devOrigins.includes(origin)
}

/** The host without the brackets of IPv6 and without the trailing dot of a fully qualified name. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.+$/, '')
}

/** `https://@host` has empty user info, which URL forgets; other parsers have taken it for another host. */
function authorityHasAt(text: string): boolean {
  return /^\w+:\/\/[^/?]*@/.test(text)
}
