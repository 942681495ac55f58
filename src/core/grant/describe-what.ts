import { isGuarded } from '../manifest/endpoint.ts'
import { findAction } from '../manifest/manifest.ts'
import type { Sentence } from './consent-sentence.ts'
import { actionTitle, type Telling } from './consent-subject.ts'
import { modelName } from './describe-claims.ts'
import { describeConstraint } from './describe-constraint.ts'

/** What the agent can do: each action with every limit on it. */
export function describeWhat(telling: Telling): Sentence[] {
  const { subject, say } = telling
  return [
    say('what_only_listed', 'countersign', {}),
    ...subject.terms.actions.flatMap((entry) => describeGrantedAction(telling, entry)),
    describeAllowedDeployments(telling),
    describeEnforcement(telling),
  ]
}

/** Who holds the skill to all this, besides the broker. */
function describeEnforcement({ subject, say }: Telling): Sentence {
  if (isGuarded(subject.manifest.endpoint)) return say('skill_guarded', 'claim', {})
  return subject.skillVerifiesCalls
    ? say('skill_verifies', 'skill_promise', {})
    : say('skill_does_not_verify', 'skill_promise', {})
}

function describeGrantedAction(
  telling: Telling,
  entry: Telling['subject']['terms']['actions'][number],
): Sentence[] {
  const { subject, speaker, say } = telling
  const { name, constraints } = entry
  const title = actionTitle(telling, name)
  const action = findAction(subject.manifest, name)
  const limits = constraints.map((constraint) => describeConstraint(telling, name, constraint))
  if (!action) return [say('what_action_unknown', 'countersign', { action: title }, name), ...limits]
  const isOnlyReading = action.effects.every((effect) => effect === 'read')
  return [
    say('what_action', 'countersign', { action: title }, name),
    say(
      'what_action_description',
      'skill_promise',
      { action: title, description: speaker.title(action.description) },
      name,
    ),
    say(
      'what_action_effects',
      'skill_promise',
      { action: title, effects: speaker.effects(action.effects) },
      name,
    ),
    ...limits,
    ...(limits.length === 0 && !isOnlyReading
      ? [say('what_action_unlimited', 'countersign', { action: title }, name)]
      : []),
  ]
}

function describeAllowedDeployments({ subject, speaker, say }: Telling): Sentence {
  const { deployments } = subject.terms
  if (deployments.kind === 'registered') {
    return say('deployments_registered', 'countersign', { agent: speaker.quote(subject.agent.name) })
  }
  const models = deployments.ids.map((id) => {
    const known = subject.deployments.find((candidate) => candidate.id === id)
    return speaker.quote(known ? modelName(known.deployment) : id)
  })
  return say('deployments_only', 'countersign', { models: speaker.list(models) })
}
