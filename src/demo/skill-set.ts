import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Manifest } from '../core/manifest/manifest.ts'
import { publicHalfOf } from '../keys/publisher-key-file.ts'
import type { SkillKeys } from './demo-keys.ts'
import { type RevivableSkill, startRevivable } from './revivable-skill.ts'
import { loadSampleManifest, type SampleSkillName } from './skills/sample-skill.ts'
import { type RunningSkill, startSkill } from './skills/start-skill.ts'

export interface SkillSet {
  readonly coffee: RunningSkill
  readonly pay: RevivableSkill
  readonly browse: RunningSkill
  /** The manifests with the addresses and runtime keys of these servers, not signed yet. */
  readonly manifests: ReadonlyMap<SampleSkillName, Manifest>
  readonly origins: readonly string[]
  stop(): Promise<void>
}

/** Starts the three sample skills on free ports of loopback; payments in a process of their own. */
export async function startSkills(options: {
  readonly folder: string
  readonly issuer: string
  readonly keysUrl: string
  readonly keys: ReadonlyMap<SampleSkillName, SkillKeys>
}): Promise<SkillSet> {
  const { folder, issuer, keysUrl } = options
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const broker = { issuer, keys: { url: keysUrl } }
  const own = (name: SampleSkillName) => ({
    name,
    journalFile: join(folder, `${name}.jsonl`),
    runtimeKey: keyOf(options.keys, name),
  })
  const coffee = await startSkill({ ...own('coffee.order'), broker })
  const browse = await startSkill({ ...own('web.browse'), broker })
  const pay = await startRevivable({ ...own('pay.transfer'), port: 0, issuer, keysUrl })
  const payManifest = quicklyAsked({
    ...loadSampleManifest('pay.transfer'),
    endpoint: { transport: 'http', baseUrl: pay.baseUrl },
    runtimeKeys: [publicHalfOf(keyOf(options.keys, 'pay.transfer'))],
  })
  return {
    coffee,
    pay,
    browse,
    manifests: new Map([
      ['coffee.order', coffee.manifest],
      ['pay.transfer', payManifest],
      ['web.browse', browse.manifest],
    ]),
    origins: [coffee.baseUrl, pay.baseUrl, browse.baseUrl],
    async stop() {
      await Promise.all([coffee.stop(), pay.stop(), browse.stop()])
    },
  }
}

function keyOf(keys: ReadonlyMap<SampleSkillName, SkillKeys>, name: SampleSkillName) {
  const found = keys.get(name)
  if (!found) throw new Error(`no keys for ${name}`)
  return found.runtimeKey
}

/** The sample says to ask after ten seconds what became of a payment; a demo would be a long wait. */
function quicklyAsked(manifest: Manifest): Manifest {
  const actions = manifest.actions.map((action) =>
    action.poll ? { ...action, poll: { ...action.poll, everySeconds: 1 } } : action,
  )
  return { ...manifest, actions }
}
