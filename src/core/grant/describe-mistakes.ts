import { isGuarded } from '../manifest/endpoint.ts'
import { eventsUrlOf } from '../manifest/events.ts'
import type { ManifestAction } from '../manifest/manifest.ts'
import type { Sentence } from './consent-sentence.ts'
import {
  actionTitle,
  actionTitles,
  grantedActions,
  type SkillTelling,
  type Telling,
} from './consent-subject.ts'

/** How authority ends, and what goes on after that. */
export function describeTakeBack(telling: Telling): Sentence[] {
  const { subject, speaker, say } = telling
  const cleanUp = grantedActions(subject).flatMap(({ status, cancel, stop, undo }) =>
    [status, cancel, stop, undo].flatMap((companion) => companion?.action ?? []),
  )
  const hasEnded = subject.nowMs >= subject.terms.expiresAtMs
  return [
    say('take_back_any_time', 'countersign', {}),
    say(hasEnded ? 'take_back_expired' : 'take_back_expires', 'countersign', {
      date: speaker.instant(subject.terms.expiresAtMs),
    }),
    ...(subject.terms.oneTime ? [say('take_back_one_time', 'countersign', {})] : []),
    ...(eventsUrlOf(subject.manifest) === undefined ? [] : [say('take_back_told', 'countersign', {})]),
    ...(cleanUp.length === 0
      ? []
      : [say('take_back_cleanup', 'countersign', { actions: actionTitles(telling, cleanUp) })]),
    say('take_back_not_undone', 'claim', {}),
  ]
}

/** What can be done when model, tool chain or device understood something else. */
export function describeMistakes(telling: Telling): Sentence[] {
  const { subject, say } = telling
  const changing = grantedActions(subject).filter(({ effects }) => effects.some((e) => e !== 'read'))
  const isPhysical = changing.some(({ effects }) => effects.includes('physical'))
  return [
    say('mistake_exact_approval', 'countersign', {}),
    ...changing.flatMap((action) => describeRepair(telling, action)),
    ...(changing.length === 0 ? [] : [describeDoubt(telling)]),
    ...(isPhysical ? [say('mistake_not_emergency_stop', 'claim', {})] : []),
  ]
}

/** What is unclear after a permit, and for how long. */
function describeDoubt({ subject, say }: Telling): Sentence {
  return isGuarded(subject.manifest.endpoint)
    ? say('mistake_not_reported', 'countersign', {})
    : say('mistake_in_doubt', 'countersign', {})
}

/** Says how one action can be previewed, undone, cancelled, stopped or looked up. */
export function describeRepair(telling: SkillTelling, action: ManifestAction): Sentence[] {
  const { speaker, say } = telling
  const title = speaker.title(action.title)
  const { preview, undo, cancel, stop, status } = action
  const facts = (companion: { action: string }) => ({
    action: title,
    companion: actionTitle(telling, companion.action),
  })
  const sentences: Sentence[] = []
  if (preview) sentences.push(say('mistake_preview', 'skill_promise', facts(preview), action.name))
  if (undo) {
    const span = speaker.span(undo.withinSeconds * 1000)
    sentences.push(say('mistake_undo', 'skill_promise', { ...facts(undo), span }, action.name))
  }
  if (cancel) sentences.push(say('mistake_cancel', 'skill_promise', facts(cancel), action.name))
  if (stop) sentences.push(say('mistake_stop', 'skill_promise', facts(stop), action.name))
  if (status) sentences.push(say('mistake_status', 'skill_promise', facts(status), action.name))
  if (undo || cancel) return sentences
  return [...sentences, say('mistake_final', 'skill_promise', { action: title }, action.name)]
}
