import { DatabaseError } from 'pg'
import { StoreUnavailable } from '../ports/store-unavailable.ts'

/** What PostgreSQL refused. Its own error quotes rows, which may be personal data; this one does not. */
export class DatabaseRefused extends Error {
  override name = 'DatabaseRefused'
  /** The SQLSTATE. */
  readonly code: string
  readonly constraint: string | undefined

  constructor(code: string, what: string, constraint: string | undefined) {
    super(`${what} (${code})`)
    this.code = code
    this.constraint = constraint
  }
}

/** Serialization failure and deadlock: another unit was in the way, the same work may be done again. */
const GOES_AGAIN: ReadonlySet<string> = new Set(['40001', '40P01'])
/** Somebody else added a row between a look and a write: who looks again sees it. */
const UNIQUE = '23505'

/** Classes and codes that say that the server cannot be used now, whatever is asked of it. */
const UNAVAILABLE_CLASSES: ReadonlySet<string> = new Set(['08', '53', '58'])
const UNAVAILABLE: ReadonlySet<string> = new Set([
  '57014', // a statement took longer than allowed
  '57P01', // the server shuts down …
  '57P02', // … or crashed …
  '57P03', // … or is starting
  '57P05',
  '25P03', // a unit of work stood still for too long
  '25006', // read-only: a standby, or a primary that is one no more
  '28000', // the server lets nobody in yet, or not any more
  '28P01',
  '3D000',
  '55P03',
  'XX000',
])

/** The code of whatever a statement failed with; undefined for what did not come from the server. */
function codeOf(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : undefined
}

export function goesAgain(error: unknown): boolean {
  return GOES_AGAIN.has(codeOf(error) ?? '')
}

export function isUniqueViolation(error: unknown): boolean {
  return codeOf(error) === UNIQUE
}

/** Whether an error is the end of its connection, so that nobody knows what became of a statement on its way. */
export function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof DatabaseError)) return isNetworkError(error)
  return error.severity === 'FATAL' || error.severity === 'PANIC' || error.code?.startsWith('08') === true
}

/** What is thrown on to use cases: nothing of the row, the statement or where the database is. */
export function toStoreError(error: unknown): unknown {
  if (!(error instanceof DatabaseError)) {
    return isNetworkError(error) ? new StoreUnavailable('unreachable', { cause: plain(error) }) : error
  }
  const code = error.code ?? ''
  const what = code.startsWith('22') ? 'a value was refused' : error.message
  const refused = new DatabaseRefused(code, what, error.constraint)
  const isDown = UNAVAILABLE.has(code) || UNAVAILABLE_CLASSES.has(code.slice(0, 2))
  return isDown ? new StoreUnavailable('unreachable', { cause: refused }) : refused
}

const NETWORK_CODES: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ENOTFOUND',
  'ENOENT',
])

/** The client's own words for a connection that is no more; it gives them no code. */
const NETWORK_WORDS =
  /^(Connection terminated|timeout e|Query read timeout|Client (has encountered|was closed)|Cannot use a pool|This socket)/

function isNetworkError(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isNetworkError)
  if (!(error instanceof Error)) return false
  return ('code' in error && NETWORK_CODES.has(error.code)) || NETWORK_WORDS.test(error.message)
}

/** An address or a URL may stand in the original: only what went wrong is kept. */
function plain(error: unknown): Error {
  if (error instanceof AggregateError) return plain(error.errors[0])
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return new Error(code || 'the connection to the database ended')
}
