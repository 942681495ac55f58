import type { VerifiedCall } from '../../core/execution/verify-action-token.ts'
import { manifestDigest } from '../../core/manifest/canonical-manifest.ts'
import { deletionUrlOf } from '../../core/manifest/deletion.ts'
import { loadManifest } from '../../core/manifest/loaded-manifest.ts'
import type { Manifest } from '../../core/manifest/manifest.ts'
import type { VerifiedNotice } from '../../core/notice/notice-token.ts'
import type { PrivateJwk } from '../../keys/detached-jws.ts'
import { generatePublisherKey, publicHalfOf } from '../../keys/publisher-key-file.ts'
import type { BrokerKeyOption } from '../../sdk/broker-keys.ts'
import { createDeletionNotices } from '../../sdk/deletion-notices.ts'
import { importSkillKey } from '../../sdk/sign-skill-receipt.ts'
import { createSkillGuard } from '../../sdk/skill-guard.ts'
import { browseSkill } from './browse.ts'
import { coffeeSkill } from './coffee.ts'
import { openExecutionBook } from './execution-book.ts'
import { paySkill } from './pay.ts'
import { loadSampleManifest, type SampleSkillName } from './sample-skill.ts'
import { createSkillEngine, type EngineDeps, type SkillEngine } from './skill-engine.ts'
import { listenOnLoopback, skillApp } from './skill-server.ts'
import type { Switches } from './switches.ts'

export interface SkillOptions {
  readonly name: SampleSkillName
  /** 0, the default, takes a free port. */
  readonly port?: number
  /** Whose calls are carried out: the broker's name and its published keys, or the URL they are published at. */
  readonly broker: { readonly issuer: string; readonly keys: BrokerKeyOption; readonly logOrigin?: string }
  /** Signs receipts; a fresh one unless given. */
  readonly runtimeKey?: PrivateJwk
  /** Where executions are written down; in memory only unless given. */
  readonly journalFile?: string
  readonly switches?: Switches
  readonly now?: () => number
  /** Kills the process for the switch `dieOn` with `process`; where the skill is a guest, nothing does. */
  readonly killProcess?: () => void
  /** Told of each call that got past the guard, before it is carried out. */
  readonly onCall?: (call: VerifiedCall) => void
  /** Told of each deletion notice that was verified, before it is carried out. */
  readonly onNotice?: (notice: VerifiedNotice) => void
}

export interface RunningSkill {
  readonly name: SampleSkillName
  readonly baseUrl: string
  /** The sample manifest with the address and the runtime key of this server, not signed yet. */
  readonly manifest: Manifest
  /** The calls that got past the guard, in order. */
  readonly calls: readonly VerifiedCall[]
  /** Replaces all switches; `{}` makes the skill behave. */
  set(switches: Switches): void
  stop(): Promise<void>
}

/** Starts a sample skill as a real HTTP server on loopback. Rejects when its port is taken. */
export async function startSkill(options: SkillOptions): Promise<RunningSkill> {
  const sample = loadSampleManifest(options.name)
  const runtimeKey = options.runtimeKey ?? (await generatePublisherKey())
  const now = options.now ?? Date.now
  const book = openExecutionBook(options.journalFile)
  const calls: VerifiedCall[] = []
  let switches = options.switches ?? {}

  const signingKey = importSkillKey({ ...runtimeKey })
  const engine = engineFor(options.name, {
    book,
    key: signingKey,
    now,
    switches: () => switches,
  })
  const manifestAt = (baseUrl: string): Manifest => ({
    ...sample,
    endpoint: { transport: 'http', baseUrl },
    runtimeKeys: [publicHalfOf(runtimeKey)],
  })
  const listening = await listenOnLoopback(options.port ?? 0, (baseUrl) => {
    const manifest = manifestAt(baseUrl)
    const loaded = loadManifest(manifestDigest(manifest), manifest)
    return skillApp({
      manifest: loaded,
      notices: createDeletionNotices(
        { ...options.broker, url: deletionUrlOf(manifest) ?? baseUrl, signingKey, now },
        async (notice) => {
          options.onNotice?.(notice)
          if (switches.notices === 'refuse') return { status: 'refused', code: 'not_now' }
          if (switches.notices === 'later') return { status: 'later' }
          return engine.forget(loaded, notice)
        },
      ),
      guard: createSkillGuard({ ...options.broker, baseUrl, now }),
      engine,
      switches: () => switches,
      onCall(call) {
        calls.push(call)
        options.onCall?.(call)
      },
      killProcess: options.killProcess ?? (() => {}),
    })
  })
  return {
    name: options.name,
    baseUrl: listening.baseUrl,
    manifest: manifestAt(listening.baseUrl),
    calls,
    set(next) {
      switches = next
    },
    async stop() {
      await listening.close()
      book.close()
    },
  }
}

function engineFor(name: SampleSkillName, deps: EngineDeps): SkillEngine {
  switch (name) {
    case 'coffee.order':
      return createSkillEngine(coffeeSkill, deps)
    case 'pay.transfer':
      return createSkillEngine(paySkill, deps)
    case 'web.browse':
      return createSkillEngine(browseSkill, deps)
  }
}
