import { accessRoutes } from './access/access-routes.ts'
import { startSweeps } from './background-work.ts'
import { ALWAYS_ADMITS } from './broker/admission.ts'
import { AuthorityChanges } from './broker/authority-changes.ts'
import { startLoop } from './broker/background-loop.ts'
import type { Broker, Logger, Settings } from './broker/broker.ts'
import { cancelInFlight } from './broker/cancel-in-flight.ts'
import { checkKeys } from './broker/check-keys.ts'
import { checkRegister } from './broker/check-register.ts'
import { currentEpoch, settingsInEpoch } from './broker/current-epoch.ts'
import { deliverDueEvents } from './broker/deliver-events.ts'
import { startDelivery } from './broker/deliver-messages.ts'
import { startNoticeDelivery } from './broker/deliver-notices.ts'
import { HeldQuestions } from './broker/held-questions.ts'
import { InFlight } from './broker/in-flight.ts'
import { ManifestCache } from './broker/manifest-cache.ts'
import { checkKeyStore, noteKeyStore } from './broker/note-key-store.ts'
import type { CheckpointPublisher } from './broker/publish-checkpoint.ts'
import { RecentRefusals } from './broker/recent-refusals.ts'
import { redoErasures } from './broker/redo-erasures.ts'
import { WakeUp } from './broker/wake-up.ts'
import { watchStore } from './broker/watched-store.ts'
import { type Config, hostsOf, issuerOf } from './config.ts'
import { taggedDigest } from './core/canonical-json.ts'
import { plainJson } from './core/manifest/manifest-change.ts'
import { type App, createApp } from './http/app.ts'
import type { RateLimitOptions } from './http/rate-limit.ts'
import { allRoutes } from './http/routes.ts'
import { listen } from './http/server.ts'
import { terminalLoginRoutes } from './http/terminal-login-routes.ts'
import { webhookKeyRoute } from './http/webhook-key-route.ts'
import { createManifestVerifier } from './keys/jose-manifest-verifier.ts'
import { NO_MCP_ACCESS, openMcpAccess } from './keys/mcp-skills-file.ts'
import { createIds } from './keys/new-id.ts'
import { openReachKeys } from './keys/reach-keys.ts'
import { NO_SECRETS, openSkillSecrets } from './keys/skill-secrets-file.ts'
import { openMcpSurface } from './mcp/mcp-surface.ts'
import { openCarriers } from './notify/open-carriers.ts'
import { type Oauth, openOauth } from './oauth/open-oauth.ts'
import { openPeople, sessionLookup } from './open-people.ts'
import { openRegister, openStorage, type Storage, StorageMisplaced } from './open-storage.ts'
import { channelPages } from './pages/channels-page.ts'
import { exportPages } from './pages/export-page.ts'
import { linkedPages } from './pages/linked-page.ts'
import { openPages } from './pages/open-pages.ts'
import { peoplePages } from './pages/people-pages.ts'
import { inviteFirstOperator } from './people/invite.ts'
import type { PeopleDeps } from './people/people-deps.ts'
import { beginTerminalLogin, pollTerminalLogin } from './people/terminal-login.ts'
import { createLogger } from './pino-logger.ts'
import type { Carriers } from './ports/carriers.ts'
import type { KeyRing } from './ports/key-ring.ts'
import type { SkillCaller } from './ports/skill-caller.ts'
import { skillsByTransport } from './skills/by-transport.ts'
import { type DocumentFetcherConfig, openDocumentFetcher } from './skills/guarded-fetch.ts'
import { openHttpSkillCaller } from './skills/http-skill.ts'
import { NO_LINK_CLIENTS, openLinkClients } from './skills/link-clients-file.ts'
import { openMcpSkills } from './skills/mcp-skill.ts'
import { folderFault, listenFault } from './start-faults.ts'
import { startNode } from './start-node.ts'
import { ObjectStoreUnfit } from './store/checkpoint-register-object.ts'
import { dataFilesIn } from './store/data-files.ts'
import { claimDataFolder } from './store/data-folder.ts'
import { movedTo } from './store/moved-mark.ts'
import { RegisterMisplaced } from './store/open-checkpoint-register.ts'

export type RunningBroker = {
  /** What it is reached under; the issuer of its tokens. */
  readonly url: string
  readonly broker: Broker
  readonly keys: KeyRing
  readonly publisher: CheckpointPublisher
  /** Creates the first operator, once, within an hour; undefined once there is one. */
  readonly setUpLink: string | undefined
  /**
   * Finishes what is in flight, publishes a last checkpoint and closes everything. What takes longer than configured,
   * or than told here, is handed over: the next start finds it in doubt.
   */
  stop(within?: { readonly withinMs: number }): Promise<void>
}

/** What a start may be given in place of the real thing. */
export type StartOptions = {
  readonly logger?: Logger
  /** How documents that clients publish are fetched, besides as configured. */
  readonly documents?: Partial<DocumentFetcherConfig>
}

/** The broker must not start as things are; each fault says what to do. */
export class StartRefused extends Error {
  override name = 'StartRefused'
}

const KEY_STORE_PAUSE_MS = 60_000
const HAND_OVER_MS = 100
const EVENTS_PAUSE_MS = 250
/** Registrations of one address: a program registers once, or at each login at worst. */
const REGISTRATIONS_PER_MINUTE = 10
/** Seconds' worth of requests that may come at once after a pause. */
const BURST_SECONDS = 10
const CALLERS_REMEMBERED = 50_000

/**
 * Starts a broker: claims its folder, opens what it keeps, checks the log against its register, takes up what a
 * crash left in doubt, and only then answers.
 *
 * @throws (rejects) DataFolderBusy, DatabaseOfOtherVersion, KeyFileError, SkillSecretsBroken, McpSkillsBroken, StartRefused, or what
 *   listening fails with. Whatever was opened by then is closed again.
 */
export async function startBroker(config: Config, options: StartOptions = {}): Promise<RunningBroker> {
  const logger = options.logger ?? createLogger(config.logLevel)
  const closers: (() => Promise<void>)[] = []
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) {
      // What cannot be closed must not keep the rest open.
      await close().catch((error: unknown) => logger.error('close_failed', { error }))
    }
  }
  try {
    return await open(config, options, logger, closers, closeAll)
  } catch (error) {
    await closeAll()
    throw error
  }
}

async function open(
  config: Config,
  options: StartOptions,
  logger: Logger,
  closers: (() => Promise<void>)[],
  closeAll: () => Promise<void>,
): Promise<RunningBroker> {
  const claim = claimFolder(config.dataFolder)
  closers.push(async () => claim.release())
  const server = await listen(config.host, config.port).catch((error: unknown) => {
    throw refusedFor(listenFault(config.host, config.port, error), error)
  })
  closers.push(() => server.stop(0))

  const moved = config.databaseUrl === null ? movedTo(config.dataFolder) : undefined
  if (moved !== undefined)
    throw new StartRefused(
      `the database of ${config.dataFolder} was moved to ${moved}: set COUNTERSIGN_DATABASE_URL to it. What is left in the folder is older`,
    )
  const storage = await openStorage(config, closers).catch((error: unknown) => {
    throw error instanceof StorageMisplaced ? new StartRefused(error.message, { cause: error }) : error
  })
  const { keys, isShared } = storage
  const broker = openBroker(config, issuerOf(config, server.port), storage, logger, closers)
  const changes = new AuthorityChanges()
  const held = new HeldQuestions(broker, changes)
  broker.store = watchStore(broker.store, changes)
  broker.settings = await settingsInEpoch(broker)
  const keyStore = await checkKeyStore(broker)
  if (keyStore.kind !== 'ok') throw new StartRefused(keyStore.message)
  const sameKeys = await checkKeys(broker, !isShared)
  if (sameKeys.kind !== 'ok') throw new StartRefused(sameKeys.message)
  await noteKeyStore(broker)
  const keyStoreNotes = startLoop('note_key_store', KEY_STORE_PAUSE_MS, logger, () => noteKeyStore(broker))
  closers.push(() => keyStoreNotes.stop())
  const { register, warning } = await registerOf(config, broker)
  if (warning !== null) logger.warn(warning)
  const checked = await checkRegister(broker, register)
  if (checked.kind !== 'ok') throw new StartRefused(checked.message)
  if (broker.settings.forgotten?.length) await redoErasures(broker)
  const node = await startNode(broker, register, isShared)
  closers.push(() => node.stop())
  const { publisher } = node
  closers.push(...startSweeps(node).map((loop) => () => loop.stop()))
  const events = startLoop('deliver_events', EVENTS_PAUSE_MS, logger, () => deliverDueEvents(broker))
  closers.push(() => Promise.race([events.stop(), after(HAND_OVER_MS)]))
  const notices = startNoticeDelivery(broker, Math.random)
  closers.push(() => Promise.race([notices.stop(), after(HAND_OVER_MS)]))
  const reachKeys = openReachKeys(dataFilesIn(config.secretsFolder).reachKeys)
  const { skills: caller } = broker
  const nowMs = () => broker.store.now().nowMs
  const carriers = openCarriers({
    ...config,
    issuer: broker.settings.issuer,
    caller,
    keys: reachKeys,
    nowMs,
  })
  closers.push(() => carriers.close())
  const delivery = startDelivery(broker, carriers)
  // What is on its way is sent again by the next start, so nobody waits for a push service that hangs.
  closers.push(() => Promise.race([delivery.stop(), after(HAND_OVER_MS)]))

  const documents = openDocumentFetcher({ devOrigins: config.skillDevOrigins, ...options.documents })
  closers.push(() => documents.close())
  const oauth = oauthOf(config, server.port, broker, documents.fetch)

  const people = openPeople(config, broker)
  const setUpLink = await inviteFirstOperator(people)
  server.serve(
    appOf(config, server.port, people, changes, held, keys, publisher, oauth, carriers),
    oauth.beside,
  )
  const url = broker.settings.issuer
  if (config.devTokens) logger.warn('development_tokens_accepted')
  logger.info('started', { url })
  return {
    url,
    broker,
    keys,
    publisher,
    setUpLink,
    async stop({ withinMs } = { withinMs: config.stopWithinMs }) {
      logger.info('stopping')
      const deadlineMs = performance.now() + withinMs
      held.close()
      await server.stop(withinMs)
      await Promise.race([broker.inFlight.idle(), after(Math.max(0, deadlineMs - performance.now()))])
      await closeAll()
      logger.info('stopped')
    },
  }
}

async function registerOf(config: Config, broker: Broker) {
  try {
    return await openRegister(config, await currentEpoch(broker), broker.settings.logOrigin)
  } catch (error) {
    if (!(error instanceof RegisterMisplaced) && !(error instanceof ObjectStoreUnfit)) throw error
    throw new StartRefused(error.message, { cause: error })
  }
}

function claimFolder(folder: string): { release(): void } {
  try {
    return claimDataFolder(folder, Date.now())
  } catch (error) {
    throw refusedFor(folderFault(folder, error), error)
  }
}

/** A refusal that says what to do, where there is something to say; otherwise what happened, as it is. */
function refusedFor(fault: string | undefined, cause: unknown): unknown {
  return fault === undefined ? cause : new StartRefused(fault, { cause })
}

function openBroker(
  config: Config,
  issuer: string,
  { store, cells, keys: signer, pseudonyms }: Storage,
  logger: Logger,
  closers: (() => Promise<void>)[],
): Broker {
  const secrets = config.skillSecretsFile === null ? NO_SECRETS : openSkillSecrets(config.skillSecretsFile)
  const skills = openSkills(config, logger)
  // Whoever stops has waited for the calls already: what still runs is handed over, not waited for.
  closers.push(() => Promise.race([skills.close(), after(HAND_OVER_MS)]))
  return {
    store,
    cells,
    signer,
    skills,
    secrets,
    linkClients: config.linkClientsFile === null ? NO_LINK_CLIENTS : openLinkClients(config.linkClientsFile),
    pseudonyms,
    manifestVerifier: createManifestVerifier(),
    manifests: new ManifestCache(),
    recentRefusals: new RecentRefusals(),
    inFlight: new InFlight(),
    deliveries: new WakeUp(),
    notices: new WakeUp(),
    newId: createIds(Date.now),
    nodeId: createIds(Date.now)('node'),
    admission: ALWAYS_ADMITS,
    settings: settingsOf(config, issuer),
    logger,
  }
}

function openSkills({ skillDevOrigins, mcpSkillsFile, stdioSkills }: Config, logger: Logger): SkillCaller {
  const egress = { devOrigins: skillDevOrigins }
  const mcp = openMcpSkills({
    ...egress,
    access: mcpSkillsFile === null ? NO_MCP_ACCESS : openMcpAccess(mcpSkillsFile, stdioSkills),
    nowMs: () => performance.now(),
    onAskedBack: (skill, method) => logger.warn('skill_asked_back', { skill, method: method.slice(0, 64) }),
  })
  return skillsByTransport(openHttpSkillCaller(egress), mcp)
}

function settingsOf(config: Config, issuer: string): Settings {
  const { keepPartsDays, consentWithinMs, approvalWithinMs, coolDownMs } = config
  const { openQuestionsMost, questionsPerDayMost, unusedGrantMs } = config
  const asking = { coolDownMs, openQuestionsMost, questionsPerDayMost }
  const { memory, suspendsOverdueDeletions } = config
  const kept = { keepPartsDays, memory, suspendsOverdueDeletions }
  const rules = { ...kept, consentWithinMs, approvalWithinMs, ...asking, unusedGrantMs }
  return {
    ...rules,
    platformWebhook: config.platformWebhook !== null,
    issuer,
    logOrigin: config.logOrigin,
    // Leaves name the rules by this: the version of the decision and what was configured.
    policyDigest: taggedDigest('countersign/v1/policy', { decision: 1, rules: plainJson(rules) }),
    mergeWithinMs: config.mergeWithinMs,
    keyEpochMs: config.keyEpochMs,
    developmentEndpoints: config.skillDevOrigins,
  }
}

function appOf(
  config: Config,
  port: number,
  people: PeopleDeps,
  changes: AuthorityChanges,
  held: HeldQuestions,
  keys: KeyRing,
  publisher: CheckpointPublisher,
  oauth: Oauth,
  carriers: Carriers,
): App {
  const { broker } = people
  const sessions = sessionLookup(broker)
  const isSecure = broker.settings.issuer.startsWith('https:')
  const { address, agent, user, enforcementPoint } = config.ratesPerMinute
  const nowMs = () => broker.store.now().nowMs
  return createApp({
    broker,
    routes: allRoutes(broker, keys, publisher, held, [
      ...loginRoutes(people),
      ...oauth.routes,
      webhookKeyRoute(carriers),
      ...accessRoutes(broker),
    ]),
    sessions,
    pages: openPages({ broker, publisher, cancel: (ids) => cancelInFlight(broker, ids), nowMs }, sessions, [
      ...oauth.pages,
      ...peoplePages({ ...people, isSecure }),
      ...linkedPages({ broker }),
      ...exportPages({ broker, publisher }),
      ...channelPages({ broker, carriers }),
    ]),
    streams: [openMcpSurface({ broker, changes })],
    allowedHosts: hostsOf(config, port),
    allowsDevelopmentTokens: config.devTokens,
    rateLimits: {
      address: rateLimit(address),
      agent: rateLimit(agent),
      user: rateLimit(user),
      enforcementPoint: rateLimit(enforcementPoint),
    },
    nowMs: tokenClock(broker),
  })
}

function loginRoutes(people: PeopleDeps) {
  return terminalLoginRoutes({
    begin: (input) => beginTerminalLogin(people, input),
    poll: (input) => pollTerminalLogin(people, input),
  })
}

/**
 * A clock that ran ahead is not followed, but what was issued by it must not be from the future: the operator who is
 * to confirm it has to get in.
 */
function tokenClock(broker: Broker): () => number {
  return () => Math.max(broker.store.now().nowMs, Date.now())
}

function oauthOf(
  config: Config,
  port: number,
  broker: Broker,
  fetchDocument: (url: string) => Promise<Response>,
): Oauth {
  return openOauth(broker, {
    allowedHosts: hostsOf(config, port),
    addressLimit: rateLimit(config.ratesPerMinute.address),
    registrationLimit: { ...rateLimit(REGISTRATIONS_PER_MINUTE), burst: REGISTRATIONS_PER_MINUTE },
    fetchDocument,
    nowMs: tokenClock(broker),
  })
}

function rateLimit(perMinute: number): RateLimitOptions {
  return {
    perMinute,
    burst: Math.max(1, Math.ceil((perMinute * BURST_SECONDS) / 60)),
    keysMost: CALLERS_REMEMBERED,
  }
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}
