import type { BrokenCode, NotSentCode } from '../ports/skill-caller.ts'
import { EgressRefused } from './guarded-connector.ts'

/** Names why a request that never started was not sent. Node and OpenSSL report TLS faults under many codes. */
export function notSentCode(error: unknown): NotSentCode {
  for (const cause of causesOf(error)) {
    if (cause instanceof EgressRefused) return cause.code
    const code = codeOf(cause)
    if (/^(ENOTFOUND|EAI_|ENODATA|ESERVFAIL)/.test(code)) return 'dns_failed'
    if (/^(UND_ERR_INVALID_ARG|UND_ERR_NOT_SUPPORTED|ERR_INVALID_URL)$/.test(code)) return 'bad_endpoint'
    if (TLS_CODE.test(code) || isHandshakeCut(cause)) return 'tls_failed'
  }
  return 'connect_failed'
}

/**
 * Names what broke a request that had started, so that an effect cannot be excluded. A length that does not fit is a
 * cut once the body had begun, and a contradiction between headers before that.
 */
export function brokenCode(error: unknown, hasHead: boolean): BrokenCode {
  const code = codeOf(error)
  const message = messageOf(error)
  if (/^UND_ERR_(HEADERS|BODY)_TIMEOUT$/.test(code)) return 'timed_out'
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return 'oversize'
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') return hasHead ? 'cut' : 'protocol_error'
  // undici leaves the parser's code out at times; its reason stands in the message either way.
  if (error instanceof Error && error.name === 'HTTPParserError') {
    return /EOF state/i.test(message) || code === 'HPE_INVALID_EOF_STATE' ? 'cut' : 'protocol_error'
  }
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return 'protocol_error'
  if (code === 'UND_ERR_SOCKET' && /^bad (response|upgrade)$/.test(message)) return 'protocol_error'
  return 'cut'
}

/** Codes of node:tls and of X.509 verification, as OpenSSL spells them. */
const TLS_CODE =
  /^(ERR_TLS|ERR_SSL|EPROTO$|CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_(CA|PURPOSE)$|PATH_LENGTH_|HOSTNAME_MISMATCH|ERROR_IN_CERT_|ERROR_IN_CRL_|NO_(ISSUER|EXPLICIT)_)/

function isHandshakeCut(error: unknown): boolean {
  return codeOf(error) === 'ECONNRESET' && messageOf(error).includes('secure TLS connection')
}

/** The error itself, what it wraps, and for several addresses tried each one's error. */
function causesOf(error: unknown): unknown[] {
  if (!(error instanceof Error)) return []
  const parts = error instanceof AggregateError ? error.errors : []
  return [error, ...parts.flatMap(causesOf), ...causesOf(error.cause)]
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : ''
}
