import { isGuarded } from './endpoint.ts'
import type { LintedAction, LintSubject } from './lint-subject.ts'
import { errorAt, type ManifestFault } from './manifest-fault.ts'

/** What a skill needs somebody to call for, and so cannot have where nothing is ever called. */
const NEEDS_CALLS = [
  'path',
  'tool',
  'poll',
  'refusal',
  'preview',
  'status',
  'cancel',
  'stop',
  'undo',
  'owes',
] as const
const NEEDS_FILLING = ['secret', 'idempotencyKey', 'account']

/**
 * Rules on what a guard enforces: it asks before a program acts by itself, and never says what came of it. So it may
 * not spend, since money needs an outcome, and whatever the broker would have to call or to fill in means nothing.
 */
export function lintGuarded({ manifest, actions }: LintSubject): ManifestFault[] {
  if (!isGuarded(manifest.endpoint)) return []
  return [
    ...(manifest.verifiesCalls === true
      ? [unreachable('/verifiesCalls', 'there is no call that could be verified')]
      : []),
    ...(manifest.links && manifest.links.length > 0
      ? [unreachable('/links', 'no account is ever used')]
      : []),
    ...(manifest.runtimeKeys.length > 0 ? [unreachable('/runtimeKeys', 'nothing signs a receipt')] : []),
    ...actions.flatMap(lintAction),
  ]
}

function lintAction({ action, at, input }: LintedAction): ManifestFault[] {
  return [
    ...(action.effects.includes('spend') || action.spends
      ? [
          errorAt(
            `${at}/effects`,
            'guarded_spend',
            'what a guard enforces may not spend: nobody would ever say what was taken',
            'remove the effect, or give the action to a skill that is called',
          ),
        ]
      : []),
    ...NEEDS_CALLS.filter((name) => action[name] !== undefined).map((name) =>
      unreachable(`${at}/${name}`, 'nothing is ever called'),
    ),
    ...(action.honoursKeys ? [unreachable(`${at}/honoursKeys`, 'no key is ever sent')] : []),
    ...(input ?? [])
      .filter(({ leaf }) => leaf.kind !== undefined && NEEDS_FILLING.includes(leaf.kind))
      .map((field) => unreachable(field.at, 'the broker sends nothing that it could fill in')),
  ]
}

function unreachable(at: string, message: string): ManifestFault {
  return errorAt(at, 'guarded_never_called', `${message} with the transport guard`, 'remove it')
}
