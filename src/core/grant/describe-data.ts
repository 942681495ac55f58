import { deletionUrlOf } from '../manifest/deletion.ts'
import { hostOf, isGuarded } from '../manifest/endpoint.ts'
import type { Sentence } from './consent-sentence.ts'
import { actionTitles, categoryTitles, grantedActions, type Telling } from './consent-subject.ts'
import { shownDeployments } from './describe-claims.ts'

/** How long the skill keeps what: each class the actions may write, or that the terms speak of. */
export function describeMemory(telling: Telling): Sentence[] {
  const { subject, speaker, say } = telling
  const { retentionDays } = subject.terms
  const written = grantedActions(subject).flatMap((action) => action.remembers)
  const classes = [...new Set([...written, ...Object.keys(retentionDays)])]
  if (classes.length === 0) return [say('memory_none', 'skill_promise', {})]
  const sentences = classes.map((name) => {
    const declared = subject.manifest.memory.find((memory) => memory.class === name)
    const memory = declared ? speaker.title(declared.title) : speaker.quote(name)
    const facts = { memory, categories: categoryTitles(telling, declared?.categories ?? []) }
    const days = Object.hasOwn(retentionDays, name) ? retentionDays[name] : undefined
    if (days !== undefined && declared?.sessionOnly) return say('memory_session', 'skill_promise', facts)
    if (days === undefined || days === 0) return say('memory_not_kept', 'skill_promise', facts)
    return say('memory_days', 'skill_promise', { ...facts, days: speaker.days(days) })
  })
  return [
    ...sentences,
    ...describeAgentMemory(telling),
    ...describeDeletion(telling, written.length > 0),
    say('memory_unseen', 'claim', {}),
  ]
}

/** Telling the skill is something Countersign does; that it is done, and in time, is the skill's promise. */
function describeDeletion({ subject, speaker, say }: Telling, remembers: boolean): Sentence[] {
  if (!remembers) return []
  const { deletion } = subject.manifest
  if (!deletion || deletionUrlOf(subject.manifest) === undefined)
    return [say('deletion_untold', 'skill_promise', {})]
  return [
    say('deletion_told', 'countersign', {}),
    say('deletion_within', 'skill_promise', { span: speaker.span(deletion.withinSeconds * 1000) }),
  ]
}

/** What the agent may keep by itself, under the same terms; a one-time grant gives it no memory. */
function describeAgentMemory({ subject, speaker, say }: Telling): Sentence[] {
  const { retentionDays, oneTime } = subject.terms
  const kept = subject.manifest.memory.filter(
    ({ class: name, sessionOnly, maxDays }) =>
      Object.hasOwn(retentionDays, name) && (sessionOnly || (maxDays > 0 && (retentionDays[name] ?? 0) > 0)),
  )
  if (oneTime || kept.length === 0) return []
  const memory = speaker.list(kept.map(({ title }) => speaker.title(title)))
  return [say('memory_agent', 'countersign', { agent: speaker.quote(subject.agent.name), memory })]
}

/** Who gets data: the skill, those it passes data on to, the agent and whoever runs its model. */
export function describeRecipients(telling: Telling): Sentence[] {
  const { subject, speaker, say } = telling
  const agent = speaker.quote(subject.agent.name)
  const { categories } = subject.terms
  return [
    isGuarded(subject.manifest.endpoint)
      ? say('recipient_guarded', 'countersign', { publisher: speaker.quote(subject.publisher.name) })
      : say('recipient_endpoint', 'countersign', {
          publisher: speaker.quote(subject.publisher.name),
          host: speaker.quote(hostOf(subject.manifest.endpoint)),
        }),
    ...describeThirdParties(telling),
    categories.length === 0
      ? say('agent_sees_nothing', 'countersign', { agent })
      : say('agent_sees', 'countersign', { agent, categories: categoryTitles(telling, categories) }),
    ...shownDeployments(telling).map(({ deployment: { path } }) =>
      path.kind === 'hosted'
        ? say('agent_model_hosted', 'claim', {
            agent,
            provider: speaker.quote(path.provider),
            region: speaker.quote(path.region),
            scope: speaker.quote(path.scope),
          })
        : say('agent_model_self_hosted', 'claim', { agent, runtime: speaker.quote(path.runtime) }),
    ),
  ]
}

function describeThirdParties(telling: Telling): Sentence[] {
  const { subject, speaker, say } = telling
  const actions = grantedActions(subject)
  const allowed = subject.terms.recipients
  const needed = actions.flatMap((action) => action.recipients)
  return [...new Set([...allowed, ...needed])].flatMap((id) => {
    const declared = subject.manifest.recipients.find((candidate) => candidate.id === id)
    const facts = {
      recipient: declared ? speaker.title(declared.title) : speaker.quote(id),
      role: declared ? speaker.role(declared.role) : '?',
    }
    if (!allowed.includes(id)) {
      const refused = actions.filter((action) => action.recipients.includes(id)).map(({ name }) => name)
      return say('recipient_refused', 'countersign', { ...facts, actions: actionTitles(telling, refused) })
    }
    if (!declared || declared.categories.length === 0) {
      return say('recipient_gets_nothing', 'skill_promise', facts)
    }
    const categories = categoryTitles(telling, declared.categories)
    return say('recipient_gets', 'skill_promise', { ...facts, categories })
  })
}
