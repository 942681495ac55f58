import { actionChanges } from './action-diff.ts'
import type { Manifest, ManifestAction } from './manifest.ts'
import { findAction } from './manifest.ts'
import type { ManifestChange } from './manifest-change.ts'
import { changeOf, unlessEqual } from './manifest-change.ts'
import { usesCategory } from './used-categories.ts'

export interface ManifestDiff {
  /** Every action of either manifest; an empty list means that it is unchanged or proven narrower. */
  readonly perAction: Readonly<Record<string, readonly ManifestChange[]>>
}

/** Compares what a user consented to with a newer version, action by action (P10). */
export function diffManifests(consented: Manifest, next: Manifest): ManifestDiff {
  const names = new Set([...consented.actions, ...next.actions].map((action) => action.name))
  return {
    perAction: Object.fromEntries([...names].map((name) => [name, needsNewConsent(consented, next, name)])),
  }
}

/**
 * What the newer version asks of one action beyond what was consented to. Empty when everything is equal or
 * proven narrower; in doubt it is listed. Time-outs, polling and runtime keys change nothing a user agreed to.
 */
export function needsNewConsent(consented: Manifest, next: Manifest, action: string): ManifestChange[] {
  const before = findAction(consented, action)
  const after = findAction(next, action)
  if (!before) return [changeOf('action_added', '/actions', undefined, action)]
  if (!after) return [changeOf('action_removed', '/actions', action, undefined)]
  return [
    ...skillChanges(consented, next),
    ...actionChanges(before, after, pointerTo(next, after)),
    ...recipientChanges(consented, next, before, after),
    ...memoryChanges(consented, next, before, after),
    ...deletionChanges(consented, next, after),
    ...categoryTextChanges(consented, next, after),
    ...companionTargetChanges(consented, next, before, after),
  ]
}

function pointerTo(manifest: Manifest, action: ManifestAction): string {
  return `/actions/${manifest.actions.indexOf(action)}`
}

/** What stands once in a manifest and speaks for every action. */
function skillChanges(before: Manifest, after: Manifest): ManifestChange[] {
  return [
    ...unlessEqual('skill_changed', '/skill', before.skill, after.skill),
    ...unlessEqual('publisher_changed', '/publisher', before.publisher, after.publisher),
    ...unlessEqual('endpoint_changed', '/endpoint', before.endpoint, after.endpoint),
    // Verifying from now on is narrower.
    ...(before.verifiesCalls === true && after.verifiesCalls !== true
      ? [changeOf('guard_removed', '/verifiesCalls', before.verifiesCalls, after.verifiesCalls)]
      : []),
    // Whoever agreed was told that the skill hears of an end at once.
    ...(before.events && !after.events
      ? [changeOf('events_removed', '/events', before.events, after.events)]
      : []),
    ...unlessEqual('text_changed', '/title', before.title, after.title),
    ...unlessEqual('text_changed', '/description', before.description, after.description),
  ]
}

function recipientChanges(
  consented: Manifest,
  next: Manifest,
  before: ManifestAction,
  after: ManifestAction,
): ManifestChange[] {
  return after.recipients.flatMap((id, index) => {
    if (!before.recipients.includes(id))
      return [changeOf('recipient_added', `${pointerTo(next, after)}/recipients/${index}`, undefined, id)]
    const was = consented.recipients.find((recipient) => recipient.id === id)
    const is = next.recipients.find((recipient) => recipient.id === id)
    const at = `/recipients/${is ? next.recipients.indexOf(is) : 0}`
    return [
      ...unlessEqual('recipient_changed', `${at}/role`, was?.role, is?.role),
      ...unlessEqual('text_changed', `${at}/title`, was?.title, is?.title),
      ...additions('recipient_changed', `${at}/categories`, was?.categories, is?.categories),
    ]
  })
}

function memoryChanges(
  consented: Manifest,
  next: Manifest,
  before: ManifestAction,
  after: ManifestAction,
): ManifestChange[] {
  return after.remembers.flatMap((name, index) => {
    if (!before.remembers.includes(name))
      return [changeOf('memory_added', `${pointerTo(next, after)}/remembers/${index}`, undefined, name)]
    const was = consented.memory.find((memory) => memory.class === name)
    const is = next.memory.find((memory) => memory.class === name)
    if (!was || !is) return unlessEqual('memory_changed', '/memory', was, is)
    const at = `/memory/${next.memory.indexOf(is)}`
    return [
      ...(daysKept(is) > daysKept(was) ? [changeOf('retention_longer', at, was, is)] : []),
      ...unlessEqual('text_changed', `${at}/title`, was.title, is.title),
      ...additions('memory_changed', `${at}/categories`, was.categories, is.categories),
    ]
  })
}

/** Only of actions that remember something. Taking notices from now on, or sooner than before, is narrower. */
function deletionChanges(
  { deletion: was }: Manifest,
  { deletion: is }: Manifest,
  after: ManifestAction,
): ManifestChange[] {
  if (after.remembers.length === 0 || was === undefined) return []
  if (is === undefined) return [changeOf('deletion_removed', '/deletion', was, is)]
  return [
    ...unlessEqual('endpoint_changed', '/deletion/path', was.path, is.path),
    ...(is.withinSeconds > was.withinSeconds
      ? [changeOf('deletion_slower', '/deletion/withinSeconds', was.withinSeconds, is.withinSeconds)]
      : []),
  ]
}

/** A session lasts at most 12 hours: longer than "not at all", shorter than a day. Days stated count anyway. */
function daysKept(memory: Manifest['memory'][number]): number {
  return memory.sessionOnly ? Math.max(0.5, memory.maxDays) : memory.maxDays
}

function categoryTextChanges(consented: Manifest, next: Manifest, after: ManifestAction): ManifestChange[] {
  return Object.entries(next.categories)
    .filter(([name]) => usesCategory(next, after, name))
    .flatMap(([name, title]) =>
      unlessEqual('text_changed', `/categories/${name}`, consented.categories[name], title),
    )
}

/**
 * Clean-up calls run under the consent for the action that names them, so a change of the action called is a
 * change of this one. One level deep: a clean-up call has no clean-up calls of its own.
 */
function companionTargetChanges(
  consented: Manifest,
  next: Manifest,
  before: ManifestAction,
  after: ManifestAction,
): ManifestChange[] {
  return (['preview', 'status', 'cancel', 'stop', 'undo'] as const).flatMap((role) => {
    const name = after[role]?.action
    if (name === undefined || before[role]?.action !== name) return []
    const [was, is] = [findAction(consented, name), findAction(next, name)]
    const at = `${pointerTo(next, after)}/${role}`
    if (!was || !is) return unlessEqual('companion_changed', at, was?.name, is?.name)
    const changes = [
      ...actionChanges(was, is, pointerTo(next, is)),
      ...recipientChanges(consented, next, was, is),
      ...memoryChanges(consented, next, was, is),
      ...categoryTextChanges(consented, next, is),
    ]
    return changes.map((change) => ({ ...change, code: 'companion_changed' as const }))
  })
}

function additions(
  code: 'recipient_changed' | 'memory_changed',
  pointer: string,
  before: readonly string[] = [],
  after: readonly string[] = [],
): ManifestChange[] {
  return after.every((name) => before.includes(name)) ? [] : [changeOf(code, pointer, before, after)]
}
