import { errors } from 'oidc-provider'

const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost'])
const REDIRECTS_MOST = 16
const NAME_CHARACTERS_MOST = 200

/** Where a redirect URI leads. */
export type RedirectPlace = { readonly host: string; readonly isLoopback: boolean }

/**
 * Says where a redirect URI leads; undefined for one that no client may have: https, or plain http to this machine
 * (RFC 8252 section 7.3), spelled the way the WHATWG parser prints it, without user info, fragment or wildcard.
 */
export function redirectPlace(uri: string): RedirectPlace | undefined {
  if (!URL.canParse(uri)) return undefined
  const url = new URL(uri)
  const isLoopback = url.protocol === 'http:' && LOOPBACK_HOSTS.has(url.hostname)
  if (url.protocol !== 'https:' && !isLoopback) return undefined
  if (url.username !== '' || url.password !== '' || uri.includes('@') || uri.includes('#')) return undefined
  if (uri.includes('*') || /[^\x21-\x7e]|\\/.test(uri)) return undefined
  if (url.href !== uri && url.href !== `${uri}/`) return undefined
  return { host: url.host, isLoopback }
}

type Metadata = Record<string, unknown>

/**
 * Holds a client's metadata, registered or published, to our rules before anything else looks at it.
 *
 * @throws InvalidRedirectUri, InvalidClientMetadata (RFC 7591 section 3.2.2).
 */
export function checkClientMetadata(metadata: Metadata): void {
  const { redirect_uris: redirects = [], client_name: name } = metadata
  if (!Array.isArray(redirects) || redirects.length > REDIRECTS_MOST) {
    throw new errors.InvalidClientMetadata('redirect_uris must be a short list')
  }
  for (const uri of redirects) {
    if (typeof uri !== 'string' || !redirectPlace(uri)) {
      throw new errors.CustomOIDCProviderError(
        'invalid_redirect_uri',
        'redirect URIs are https, or http on 127.0.0.1, [::1] or localhost, without user info, fragment or wildcard',
      )
    }
  }
  if (name !== undefined && (typeof name !== 'string' || name.length > NAME_CHARACTERS_MOST)) {
    throw new errors.InvalidClientMetadata('client_name must be a short text')
  }
  // What kind of program it is, is not ours to judge: loopback redirects vary their port for all (RFC 8252 section 7.3).
  metadata.application_type = 'native'
  // Nobody has a shared secret here; the library makes one for whoever names no method.
  delete metadata.client_secret
  delete metadata.client_secret_expires_at
  // Older clients send it empty; nothing is asked for by that.
  if (metadata.scope === '') delete metadata.scope
  // What we do not offer is left out rather than refused, as RFC 7591 section 3.2.1 allows.
  keepOnly(metadata, 'grant_types', GRANT_TYPES)
  keepOnly(metadata, 'response_types', ['code'])
}

export const GRANT_TYPES = [
  'authorization_code',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:device_code',
] as const

function keepOnly(metadata: Metadata, name: string, offered: readonly string[]): void {
  const value = metadata[name]
  if (Array.isArray(value)) metadata[name] = value.filter((entry) => offered.includes(entry))
}
