export const FREEZE_KINDS = [
  'user',
  'agent',
  'skill',
  'action',
  'publisher',
  'deployment',
  'platform',
] as const
export type FreezeKind = (typeof FREEZE_KINDS)[number]

/** What one action goes through, each of which an operator can stop. */
export type FreezeScope = {
  readonly userId: string
  readonly agentId: string
  readonly skill: string
  readonly action: string
  /** Null for a skill that nobody owns yet. */
  readonly publisherId: string | null
  readonly deploymentId: string
}

/** The id of a freeze: its kind and what it stops. Kinds hold no colon, so no two freezes share an id. */
export function freezeIdOf(kind: FreezeKind, target: string): string {
  return `${kind}:${target}`
}

/** How an action is named as a target: skill ids hold no slash, so the first one separates. */
function actionTargetOf(skill: string, action: string): string {
  return `${skill}/${action}`
}

/** The ids of every freeze that would stop this action, seven at the most. */
export function freezeIdsFor(scope: FreezeScope): string[] {
  return [
    freezeIdOf('user', scope.userId),
    freezeIdOf('agent', scope.agentId),
    freezeIdOf('skill', scope.skill),
    freezeIdOf('action', actionTargetOf(scope.skill, scope.action)),
    ...(scope.publisherId === null ? [] : [freezeIdOf('publisher', scope.publisherId)]),
    freezeIdOf('deployment', scope.deploymentId),
    freezeIdOf('platform', '*'),
  ]
}
