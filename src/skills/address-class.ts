import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * `public` is the internet, `local` what only a configured development origin may reach (loopback and private
 * networks), `forbidden` what nothing may reach: metadata services, link-local, multicast, reserved and
 * transition addresses that smuggle another address in.
 */
export type AddressClass = 'public' | 'local' | 'forbidden'

/** Cloud metadata and host agents that sit in ranges which would otherwise pass as public or private. */
const METADATA_ADDRESSES = new Set(['168.63.129.16', '100.100.100.200', '169.254.169.254', 'fd00:ec2::254'])

const WELL_KNOWN_NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96')
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3')

/**
 * Classifies one address as a resolver returns it. Anything that is not a plain address literal, IPv6 zone ids
 * included, is forbidden. Special ranges: IANA special-purpose registries (RFC 6890) as ipaddr.js lists them.
 */
export function classifyAddress(address: string): AddressClass {
  const family = isIP(address)
  if (family === 0 || address.includes('%')) return 'forbidden'
  return family === 4 ? classifyV4(ipaddr.IPv4.parse(address)) : classifyV6(ipaddr.IPv6.parse(address))
}

function classifyV4(address: ipaddr.IPv4): AddressClass {
  if (METADATA_ADDRESSES.has(address.toString())) return 'forbidden'
  const range = address.range()
  if (range === 'unicast') return 'public'
  return range === 'loopback' || range === 'private' ? 'local' : 'forbidden'
}

function classifyV6(address: ipaddr.IPv6): AddressClass {
  if (METADATA_ADDRESSES.has(address.toString())) return 'forbidden'
  // The two forms a resolver returns for IPv4-only hosts are judged by the IPv4 address inside.
  if (address.isIPv4MappedAddress()) return classifyV4(address.toIPv4Address())
  if (address.match(WELL_KNOWN_NAT64)) return classifyV4(lastFourBytes(address))

  const range = address.range()
  if (range === 'loopback' || range === 'uniqueLocal') return 'local'
  if (range !== 'unicast' || !address.match(GLOBAL_UNICAST) || isIsatap(address)) return 'forbidden'
  return 'public'
}

function lastFourBytes(address: ipaddr.IPv6): ipaddr.IPv4 {
  return new ipaddr.IPv4(address.toByteArray().slice(12))
}

/** ISATAP (RFC 5214) hides an IPv4 address behind the interface identifier 0000:5efe or 0200:5efe. */
function isIsatap(address: ipaddr.IPv6): boolean {
  const [, , , , high, low] = address.parts
  return low === 0x5efe && (high === 0 || high === 0x0200)
}
