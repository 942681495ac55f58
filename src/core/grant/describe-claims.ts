import type { Deployment } from '../model/deployment.ts'
import { movesByItself } from '../model/deployment.ts'
import type { Sentence } from './consent-sentence.ts'
import type { Telling } from './consent-subject.ts'
import type { Speaker } from './speaker.ts'
import { DEPLOYMENT_DETAILS, type DeploymentDetail, WORDS } from './words.ts'

/** What agent and publisher say of themselves, each marked as what it is: a claim, or proven. */
export function describeClaims({ subject, speaker, say }: Telling): Sentence[] {
  const agent = speaker.quote(subject.agent.name)
  const publisher = speaker.quote(subject.publisher.name)
  const { domain } = subject.publisher
  return [
    domain === undefined
      ? say('claim_publisher', 'claim', { publisher })
      : say('publisher_domain', 'countersign', { publisher, domain: speaker.quote(domain) }),
    subject.purpose === null || subject.purpose === ''
      ? say('claim_no_purpose', 'claim', { agent })
      : say('claim_purpose', 'claim', { agent, purpose: speaker.quote(subject.purpose) }),
    ...describeDeployments({ subject, speaker, say }, agent),
  ]
}

function describeDeployments({ subject, speaker, say }: Telling, agent: string): Sentence[] {
  const shown = shownDeployments({ subject, speaker, say })
  if (shown.length === 0) return [say('claim_deployment_none', 'claim', { agent })]
  const sentences = shown.flatMap(({ deployment }) => {
    const model = speaker.quote(modelName(deployment))
    return [
      say('claim_deployment', 'claim', { agent, model }),
      say('claim_deployment_details', 'claim', { details: modelDetails(deployment, speaker) }),
      ...(movesByItself(deployment) ? [say('claim_deployment_moving', 'claim', { model })] : []),
    ]
  })
  return [...sentences, say('claim_deployment_limit', 'countersign', {})]
}

/** Returns the deployments the grant lets the agent run on, of those that are registered. */
export function shownDeployments({ subject }: Telling): Telling['subject']['deployments'] {
  const { deployments } = subject.terms
  if (deployments.kind === 'registered') return subject.deployments
  return subject.deployments.filter(({ id }) => deployments.ids.includes(id))
}

/** Returns one name for a deployment: brand, family and whatever says which one exactly. */
export function modelName(deployment: Deployment): string {
  const { brand, family, snapshot, checkpoint, serviceAlias } = deployment
  return [brand, family, snapshot ?? checkpoint ?? serviceAlias].filter(Boolean).join(' ')
}

/** Everything else that was registered: a detail left out could be the one that matters. */
function modelDetails(deployment: Deployment, speaker: Speaker): string {
  const { checkpoint, serviceAlias, snapshot, derivativeOf, thinking, path } = deployment
  const { kind: _, ...run } = path
  const details: Readonly<Partial<Record<DeploymentDetail, string | undefined>>> = {
    checkpoint,
    snapshot,
    serviceAlias,
    derivativeOf,
    ...run,
  }
  const words = WORDS[speaker.locale]
  return speaker.list([
    words.thinking[thinking],
    words.paths[path.kind],
    ...DEPLOYMENT_DETAILS.flatMap((name) => {
      const value = details[name]
      return value === undefined ? [] : [`${words.details[name]} ${speaker.quote(value)}`]
    }),
  ])
}
