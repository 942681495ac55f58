import { fromCounter } from '../../src/broker/counter-rows.ts'
import { canonicalJson } from '../../src/core/canonical-json.ts'
import { canonicalManifest, manifestDigest } from '../../src/core/manifest/canonical-manifest.ts'
import type { Manifest } from '../../src/core/manifest/manifest.ts'
import { plainJson } from '../../src/core/manifest/manifest-change.ts'
import { counterSpecOf } from '../../src/core/spending/counter.ts'
import { newCounter } from '../../src/core/spending/window.ts'
import { createIds } from '../../src/keys/new-id.ts'
import type { CounterRow } from '../../src/ports/rows.ts'
import { sqliteTables } from '../../src/store/schema/sqlite.ts'
import { ACTION, BUDGETS, DEPLOYMENT, termsFor } from './benched-skill.ts'
import type { RowSink } from './bulk-insert.ts'

/** Who has a grant. */
export type Grantee = { readonly userId: string; readonly agentId: string }

export type GrantSeed = {
  readonly count: number
  readonly manifest: Manifest
  readonly nowMs: number
  /** Whether each grant has its four counters already, as one has that was used before. */
  readonly withCounters: boolean
  /** The grantees that are told. */
  readonly isCalled: (index: number) => boolean
}

export const ZONE = 'Asia/Shanghai'
const DAY_MS = 86_400_000
const SOME_AGENT = 'agt_some'

/** Puts in place a registered skill, and users who each have one agent with one grant. */
export function seedGrants(sink: RowSink, seed: GrantSeed): Grantee[] {
  const { manifest, nowMs, count } = seed
  const digest = seedManifest(sink, manifest, nowMs)
  const terms = termsFor(manifest, nowMs + 30 * DAY_MS)
  const consented = Object.fromEntries(terms.actions.map(({ name }) => [name, digest]))
  const stored = { terms: canonicalJson(plainJson(terms)), consented: canonicalJson(consented) }
  const rows = {
    user: sink.inserterOf(sqliteTables.users),
    agent: sink.inserterOf(sqliteTables.agents),
    grant: sink.inserterOf(sqliteTables.grants),
    counter: sink.inserterOf(sqliteTables.counters),
  }
  const deployments = JSON.stringify([{ id: DEPLOYMENT, deployment: {} }])
  // One a second, as people come, and all of them before now.
  let createdAtMs = nowMs - count * 1000
  const newId = createIds(() => createdAtMs)
  const counters = seed.withCounters ? emptyCounters(manifest.skill, nowMs) : []
  const called: Grantee[] = []
  sink.many(count, (index) => {
    createdAtMs += 1000
    const userId = newId('user')
    const agentId = newId('agent')
    const whose = { userId, agentId, lineageId: agentId }
    rows.user({ id: userId, timeZone: ZONE, createdAtMs })
    rows.agent({
      ...whose,
      id: agentId,
      name: 'Bench agent',
      publicJwk: '{}',
      keyThumbprint: agentId,
      clientId: null,
      clientHost: null,
      deployments,
      status: 'connected',
      createdAtMs,
    })
    rows.grant({
      ...whose,
      ...stored,
      id: newId('grant'),
      skillId: manifest.skill,
      revision: 1,
      status: 'active',
      oneTime: terms.oneTime,
      expiresAtMs: terms.expiresAtMs,
      createdAtMs,
      changedAtMs: createdAtMs,
    })
    for (const row of counters) {
      rows.counter({
        ...row,
        userId,
        lineageId: agentId,
        counterId: row.counterId.replace(SOME_AGENT, agentId),
      })
    }
    if (seed.isCalled(index)) called.push({ userId, agentId })
  })
  return called
}

/** The counters of a grant as they are made, once for all grants: they differ only in whose they are. */
function emptyCounters(skill: string, nowMs: number): CounterRow[] {
  const subject = { agentLineage: SOME_AGENT, skill, action: ACTION }
  return BUDGETS.map((budget) => counterSpecOf('grant', subject, budget))
    .filter((spec) => spec !== null)
    .map((spec) => fromCounter('', newCounter(spec, { held: 0, captured: 0 }, nowMs, ZONE)))
}

/** As an operator's approval leaves it; nothing behind registration looks at the signature. */
function seedManifest(sink: RowSink, manifest: Manifest, nowMs: number): string {
  const { publisher: publisherId, skill: skillId, version } = manifest
  const digest = manifestDigest(manifest)
  sink.inserterOf(sqliteTables.publishers)({ id: publisherId, createdAtMs: nowMs })
  sink.inserterOf(sqliteTables.skills)({
    id: skillId,
    publisherId,
    currentDigest: digest,
    highestVersion: version,
    createdAtMs: nowMs,
  })
  sink.inserterOf(sqliteTables.manifests)({
    digest,
    skillId,
    version,
    publisherId,
    canonical: canonicalManifest(manifest),
    signature: 'not.looked.at',
    kid: 'not-looked-at',
    status: 'approved',
    reason: 'bench',
    submittedAtMs: nowMs,
    changedAtMs: nowMs,
  })
  return digest
}
