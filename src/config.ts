import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { domainOfMailAddress } from './core/grant/mail-address.ts'
import { devOriginFaults } from './skills/egress-guard.ts'
import type { RegisterPlace } from './store/open-checkpoint-register.ts'
import { hostsIn } from './store/postgres-hosts.ts'

/** Everything an operator can choose, read once at start. */
export type Config = {
  readonly port: number
  readonly host: string
  readonly dataFolder: string
  /** Null for `http://localhost:<port>`, which is known once the port is. */
  readonly publicUrl: string | null
  readonly logOrigin: string
  /** `Host` values that are answered besides the broker's own address. */
  readonly allowedHosts: readonly string[]
  readonly devTokens: boolean
  readonly skillDevOrigins: readonly string[]
  readonly kekFile: string
  /** A PostgreSQL database, which several nodes may share; null for the embedded one in the data folder. */
  readonly databaseUrl: string | null
  /** Where cell keys are kept; null for a file in the data folder, which is one node's alone. */
  readonly keyStoreUrl: string | null
  /** Where the checkpoint register is; null for a file in the data folder. */
  readonly checkpointRegister: RegisterPlace | null
  /** Signing keys and what names users by pseudonyms: the same on every node. The data folder unless told otherwise. */
  readonly secretsFolder: string
  /** How long the log takes at most to include what it promised to. */
  readonly mergeWithinMs: number
  readonly skillSecretsFile: string | null
  /** How the broker gets in at MCP skills, and which it starts; null where all are open to it. */
  readonly mcpSkillsFile: string | null
  /** Programs may be started as skills; only on a broker that nobody beyond this machine reaches. */
  readonly stdioSkills: boolean
  /** OAuth clients the broker has at skills, for accounts that users link; null for none. */
  readonly linkClientsFile: string | null
  readonly ratesPerMinute: {
    readonly address: number
    readonly agent: number
    readonly user: number
    readonly enforcementPoint: number
  }
  readonly keepPartsDays: { readonly core: number; readonly subj: number; readonly body: number }
  readonly consentWithinMs: number
  readonly approvalWithinMs: number
  readonly coolDownMs: number
  readonly openQuestionsMost: number
  readonly questionsPerDayMost: number
  readonly unusedGrantMs: number
  /** Whether a skill that does not delete what it is told to stands still for the user whose data it is. */
  readonly suspendsOverdueDeletions: boolean
  /** What agents may remember at the most, in days, items and bytes. */
  readonly memory: {
    readonly mostDays: number
    readonly itemBytesMost: number
    readonly itemsMost: number
    readonly bytesMost: number
  }
  /** How long one key-encryption key is used; what was erased may stay in old copies for so long. */
  readonly keyEpochMs: number
  /** Where the platform's own app is told of messages; null for nowhere. */
  readonly platformWebhook: string | null
  /** A file with the URL of the mail server, its password among it; null for no mail. */
  readonly smtpUrlFile: string | null
  /** Whom mail comes from; set with the server. */
  readonly mailFrom: string | null
  /** Who may make an account: whom an operator invited, or anybody with a passkey. */
  readonly signUp: 'invited' | 'open'
  /** The platform's own OpenID Connect provider; null where people sign in by passkey alone. */
  readonly signInProvider: {
    readonly issuer: string
    readonly clientId: string
    /** Null for a public client. */
    readonly clientSecretFile: string | null
  } | null
  readonly logLevel: LogLevel
  /** How long a stop waits for what is in flight. */
  readonly stopWithinMs: number
}

export const LOG_LEVELS = ['silent', 'error', 'warn', 'info'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export type ReadConfig =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly faults: readonly string[] }

const PREFIX = 'COUNTERSIGN_'
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/**
 * Reads the configuration from environment variables. Every fault is listed at once, names nobody knows among them:
 * a misspelled limit must not leave the default in force unseen.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): ReadConfig {
  const reader = new Reader(env)
  const host = reader.text('HOST', '127.0.0.1')
  const publicUrl = reader.optional('PUBLIC_URL', checkPublicUrl)
  const dataFolder = resolve(reader.text('DATA', './data'))
  const config: Config = {
    port: reader.integer('PORT', 8787, 0, 65_535),
    host,
    dataFolder,
    publicUrl,
    logOrigin: reader.optional('LOG_ORIGIN', checkLogOrigin) ?? defaultLogOrigin(publicUrl),
    allowedHosts: reader.list('ALLOWED_HOSTS', checkHost),
    devTokens: reader.flag('DEV_TOKENS'),
    skillDevOrigins: reader.list('SKILL_DEV_ORIGINS', (origin) => devOriginFaults([origin])[0]),
    kekFile: resolve(reader.text('KEK_FILE', join(dataFolder, 'kek.json'))),
    databaseUrl: reader.optional('DATABASE_URL', checkDatabaseUrl),
    keyStoreUrl: reader.optional('KEY_STORE_URL', checkDatabaseUrl),
    checkpointRegister: registerPlaceOf(reader),
    secretsFolder: resolve(reader.text('SECRETS', dataFolder)),
    mergeWithinMs: reader.integer('MERGE_WITHIN_SECONDS', 30, 4, 86_400) * 1000,
    skillSecretsFile: reader.optional('SKILL_SECRETS_FILE'),
    mcpSkillsFile: reader.optional('MCP_SKILLS_FILE'),
    stdioSkills: reader.flag('STDIO_SKILLS'),
    linkClientsFile: reader.optional('LINK_CLIENTS_FILE'),
    ratesPerMinute: {
      address: reader.integer('RATE_PER_ADDRESS', 3_000, 1, 100_000_000),
      agent: reader.integer('RATE_PER_AGENT', 1_200, 1, 100_000_000),
      user: reader.integer('RATE_PER_USER', 1_200, 1, 100_000_000),
      enforcementPoint: reader.integer('RATE_PER_ENFORCEMENT_POINT', 6_000, 1, 100_000_000),
    },
    keepPartsDays: {
      core: reader.integer('KEEP_CORE_DAYS', 2_555, 1, 36_500),
      subj: reader.integer('KEEP_SUBJECT_DAYS', 400, 1, 36_500),
      body: reader.integer('KEEP_BODY_DAYS', 90, 1, 36_500),
    },
    consentWithinMs: reader.integer('CONSENT_WITHIN_MINUTES', 1_440, 1, 43_200) * MINUTE_MS,
    approvalWithinMs: reader.integer('APPROVAL_WITHIN_MINUTES', 15, 1, 1_440) * MINUTE_MS,
    coolDownMs: reader.integer('COOL_DOWN_MINUTES', 60, 0, 43_200) * MINUTE_MS,
    openQuestionsMost: reader.integer('OPEN_QUESTIONS_MOST', 3, 1, 100),
    questionsPerDayMost: reader.integer('QUESTIONS_PER_DAY_MOST', 20, 1, 1_000),
    unusedGrantMs: reader.integer('UNUSED_GRANT_DAYS', 90, 15, 400) * DAY_MS,
    suspendsOverdueDeletions: reader.oneOf('SUSPEND_OVERDUE_DELETIONS', ['1', '0'], '1') === '1',
    memory: {
      mostDays: reader.integer('MEMORY_DAYS_MOST', 400, 1, 3_650),
      itemBytesMost: reader.integer('MEMORY_ITEM_KIB', 16, 1, 256) * 1024,
      itemsMost: reader.integer('MEMORY_ITEMS_MOST', 10_000, 1, 100_000),
      bytesMost: reader.integer('MEMORY_MIB_MOST', 16, 1, 1_024) * 1024 * 1024,
    },
    keyEpochMs: reader.integer('KEY_EPOCH_DAYS', 30, 1, 30) * DAY_MS,
    platformWebhook: reader.optional('PLATFORM_WEBHOOK', checkWebhook),
    smtpUrlFile: reader.optional('SMTP_URL_FILE'),
    mailFrom: reader.optional('MAIL_FROM', checkMailAddress),
    signUp: reader.oneOf('SIGN_UP', ['invited', 'open'], 'invited'),
    signInProvider: signInProviderOf(reader),
    logLevel: reader.oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
    stopWithinMs: reader.integer('STOP_WITHIN_SECONDS', 20, 0, 600) * 1000,
  }
  reader.reserved(
    'DATABASE_OWNER_URL',
    'is for countersign migrate-schema alone: who serves must not be able to change the log',
  )
  reader.checkTogether(config)
  const faults = reader.allFaults()
  return faults.length > 0 ? { ok: false, faults } : { ok: true, config: deepFreeze(config) }
}

/**
 * The broker's public URL, which is the issuer of its tokens. On this machine alone it is `localhost`: browsers make
 * passkeys for names only, never for an address.
 *
 * @param port the one that is listened on.
 */
export function issuerOf({ publicUrl, host }: Pick<Config, 'publicUrl' | 'host'>, port: number): string {
  if (publicUrl !== null) return publicUrl
  const name = host === '127.0.0.1' || host === '::1' ? 'localhost' : host
  return `http://${isIP(name) === 6 ? `[${name}]` : name}:${port}`
}

/** The `Host` values a broker answers: its own on loopback, its public one, and those that were named. */
export function hostsOf(config: Pick<Config, 'publicUrl' | 'host' | 'allowedHosts'>, port: number): string[] {
  const loopback = isLoopback(config.host) ? ['127.0.0.1', 'localhost', '[::1]'] : []
  const own = [...loopback.map((name) => `${name}:${port}`), new URL(issuerOf(config, port)).host]
  return [...new Set([...own, ...config.allowedHosts])]
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

function registerPlaceOf(reader: Reader): RegisterPlace | null {
  const text = reader.optional('CHECKPOINT_REGISTER', checkRegisterPlace)
  const credentialsFile = reader.optional('CHECKPOINT_REGISTER_CREDENTIALS_FILE')
  if (text === null || checkRegisterPlace(text) !== undefined) return null
  if (text.startsWith('file:')) return { kind: 'file', file: fileURLToPath(text) }
  if (/^postgres(ql)?:/.test(text)) return { kind: 'postgres', url: text }
  if (credentialsFile === null)
    reader.reserved('CHECKPOINT_REGISTER', 'takes COUNTERSIGN_CHECKPOINT_REGISTER_CREDENTIALS_FILE besides')
  return { kind: 'object', url: text, credentialsFile: credentialsFile ?? '' }
}

function signInProviderOf(reader: Reader): Config['signInProvider'] {
  const issuer = reader.optional('SIGN_IN_ISSUER', checkIssuer)
  const clientId = reader.optional('SIGN_IN_CLIENT_ID')
  const clientSecretFile = reader.optional('SIGN_IN_CLIENT_SECRET_FILE')
  if (issuer !== null && clientId !== null) return { issuer, clientId, clientSecretFile }
  if (issuer !== null) reader.reserved('SIGN_IN_ISSUER', 'takes COUNTERSIGN_SIGN_IN_CLIENT_ID besides')
  if (clientId !== null) reader.reserved('SIGN_IN_CLIENT_ID', 'takes COUNTERSIGN_SIGN_IN_ISSUER besides')
  if (issuer === null && clientSecretFile !== null)
    reader.reserved('SIGN_IN_CLIENT_SECRET_FILE', 'takes COUNTERSIGN_SIGN_IN_ISSUER besides')
  return null
}

/** Reads one variable after the other and remembers what is wrong with each. */
class Reader {
  readonly #env: Readonly<Record<string, string | undefined>>
  readonly #known = new Set<string>()
  readonly #faults: string[] = []

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env
  }

  text(name: string, fallback: string): string {
    return this.#value(name) ?? fallback
  }

  optional(name: string, check: (text: string) => string | undefined = () => undefined): string | null {
    const text = this.#value(name)
    if (text === undefined) return null
    const fault = check(text)
    if (fault !== undefined) this.#fault(name, fault)
    return text
  }

  integer(name: string, fallback: number, least: number, most: number): number {
    const text = this.#value(name)
    if (text === undefined) return fallback
    const value = Number(text)
    if (/^(0|[1-9]\d*)$/.test(text) && value >= least && value <= most) return value
    this.#fault(name, `must be a whole number from ${least} to ${most}`)
    return fallback
  }

  flag(name: string): boolean {
    const text = this.#value(name)
    if (text !== undefined && text !== '0' && text !== '1') this.#fault(name, 'must be 0 or 1')
    return text === '1'
  }

  oneOf<Value extends string>(name: string, values: readonly Value[], fallback: Value): Value {
    const text = this.#value(name)
    const found = values.find((value) => value === text)
    if (text !== undefined && found === undefined) this.#fault(name, `must be one of ${values.join(', ')}`)
    return found ?? fallback
  }

  list(name: string, check: (entry: string) => string | undefined): string[] {
    const text = this.#value(name)
    if (text === undefined) return []
    const entries = text.split(',').map((entry) => entry.trim())
    for (const entry of entries) {
      const fault = check(entry)
      if (fault !== undefined) this.#fault(name, fault)
    }
    return entries
  }

  reserved(name: string, fault: string): void {
    if (this.#value(name) !== undefined) this.#fault(name, fault)
  }

  /** What is only wrong together. A broker that others can reach must be told its name: no name means any. */
  checkTogether(config: Config): void {
    if (!isLoopback(config.host) && config.publicUrl === null)
      this.#fault('PUBLIC_URL', `is required when COUNTERSIGN_HOST is ${config.host}`)
    // What a program may do on this machine is its user's; others must not be able to set it off.
    if (config.stdioSkills && !isLoopback(config.host))
      this.#fault('STDIO_SKILLS', `is not allowed when COUNTERSIGN_HOST is ${config.host}: only on loopback`)
    if (config.stdioSkills && config.publicUrl !== null && !isLoopback(hostnameOf(config.publicUrl)))
      this.#fault('STDIO_SKILLS', 'is not allowed with a COUNTERSIGN_PUBLIC_URL that others reach')
    // A register beside the database would be put back with it, and without one nothing may be signed.
    if (config.databaseUrl !== null && config.checkpointRegister === null)
      this.#fault(
        'CHECKPOINT_REGISTER',
        'is required with COUNTERSIGN_DATABASE_URL: name another database, an object or a file that all nodes share',
      )
    if ((config.smtpUrlFile === null) !== (config.mailFrom === null))
      this.#fault('MAIL_FROM', 'and COUNTERSIGN_SMTP_URL_FILE are set together, or neither is')
  }

  allFaults(): string[] {
    const unknown = Object.keys(this.#env)
      .filter((name) => name.startsWith(PREFIX) && !this.#known.has(name.slice(PREFIX.length)))
      .map((name) => `${name} is not a setting of this version`)
    return [...this.#faults, ...unknown.sort()]
  }

  #value(name: string): string | undefined {
    this.#known.add(name)
    const text = this.#env[`${PREFIX}${name}`]?.trim()
    return text === '' ? undefined : text
  }

  #fault(name: string, fault: string): void {
    this.#faults.push(`${PREFIX}${name} ${fault}`)
  }
}

function hostnameOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : url
}

function checkPublicUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return 'must be a URL such as https://broker.example'
  const { protocol, hostname, origin } = new URL(text)
  if (origin !== text) return `must be an origin and nothing more, such as https://broker.example`
  if (protocol === 'http:' && !isLoopback(hostname.replace(/^\[|\]$/g, '')))
    return 'must be https: tokens travel over it'
  return protocol === 'https:' || protocol === 'http:' ? undefined : 'must be https'
}

/** OpenID Connect Discovery 1.0 section 2: https, without query or fragment; plain http on this machine alone. */
function checkIssuer(text: string): string | undefined {
  if (!URL.canParse(text)) return 'must be a URL such as https://login.example'
  const { protocol, hostname, search, hash } = new URL(text)
  if (search !== '' || hash !== '') return 'must have neither query nor fragment'
  const isLocal = protocol === 'http:' && isLoopback(hostname.replace(/^\[|\]$/g, ''))
  return protocol === 'https:' || isLocal ? undefined : 'must be https: who signs in is decided there'
}

/** The URL may hold a password: it is not quoted. */
function checkDatabaseUrl(text: string): string | undefined {
  const isUrl = hostsIn(text).every(
    (url) => URL.canParse(url) && /^postgres(ql)?:$/.test(new URL(url).protocol),
  )
  return isUrl ? undefined : 'must be a URL such as postgres://countersign@db.example/countersign'
}

function checkRegisterPlace(text: string): string | undefined {
  const fault =
    'must be file:///an/absolute/path, postgres://… or the https address of an object, without a query'
  if (!URL.canParse(text)) return fault
  const { protocol, hostname, search, username } = new URL(text)
  if (/^postgres(ql)?:$/.test(protocol)) return undefined
  if (protocol === 'file:') return hostname === '' && text.startsWith('file:///') ? undefined : fault
  const isPlain = search === '' && username === ''
  if (protocol === 'http:' && isLoopback(hostname.replace(/^\[|\]$/g, '')) && isPlain) return undefined
  return protocol === 'https:' && isPlain ? undefined : fault
}

/** c2sp.org/tlog-checkpoint asks for a schema-less URL; c2sp.org/signed-note allows no space and no plus. */
function checkLogOrigin(text: string): string | undefined {
  const isName = /^[a-z0-9.-]+(:\d+)?(\/[A-Za-z0-9._-]+)*$/.test(text) && text.length <= 200
  return isName ? undefined : 'must be a URL without its scheme, such as broker.example/log'
}

/** Reached through the egress guard, which allows plain http to development origins only. */
function checkWebhook(text: string): string | undefined {
  return /^https?:\/\/[\x21-\x7e]+$/.test(text) && URL.canParse(text) && text.length <= 300
    ? undefined
    : 'must be an https URL such as https://app.example/countersign'
}

function checkMailAddress(text: string): string | undefined {
  return domainOfMailAddress(text) === undefined ? 'must be one plain mail address' : undefined
}

function checkHost(text: string): string | undefined {
  const isHost = /^([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/.test(text)
  return isHost ? undefined : `holds ${JSON.stringify(text)}, which is no host in lower case with its port`
}

/** Without a public name the log has one of its own that does not change with the port. */
function defaultLogOrigin(publicUrl: string | null): string {
  return publicUrl !== null && URL.canParse(publicUrl)
    ? `${new URL(publicUrl).host}/log`
    : 'localhost/countersign/log'
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) deepFreeze(member)
  }
  return Object.freeze(value)
}
