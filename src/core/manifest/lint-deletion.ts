import { deletionUrlOf } from './deletion.ts'
import type { LintSubject } from './lint-subject.ts'
import { errorAt, type ManifestFault, warningAt } from './manifest-fault.ts'

/**
 * Rules on where a skill is told to delete. Without such a place its deletion is a promise that nobody sees kept: that is
 * allowed, because a service may have none, and said to whoever reviews it and to whoever consents.
 */
export function lintDeletion({ manifest }: LintSubject): ManifestFault[] {
  const { deletion, runtimeKeys } = manifest
  const remembers = manifest.actions.some((action) => action.remembers.length > 0)
  if (!deletion)
    return remembers
      ? [
          warningAt(
            '/memory',
            'deletion_not_declared',
            'actions remember something, and nobody can tell the skill to delete it',
            'declare under /deletion where notices are sent',
          ),
        ]
      : []
  return [
    ...(remembers
      ? []
      : [
          warningAt(
            '/deletion',
            'deletion_of_nothing',
            'no action remembers anything',
            'remove it, or say under remembers what is kept',
          ),
        ]),
    ...(deletionUrlOf(manifest) === undefined
      ? [
          errorAt(
            '/deletion',
            'deletion_unreachable',
            'the skill has no URL that a notice could be sent to',
            'remove it: the skill can be told nothing',
          ),
        ]
      : []),
    ...(runtimeKeys.length === 0
      ? [
          errorAt(
            '/runtimeKeys',
            'acknowledgement_unsigned',
            'an acknowledgement is signed with a runtime key, and there is none',
            'list the public half of the key the skill signs with',
          ),
        ]
      : []),
    ...manifest.actions.flatMap(({ path }, index) =>
      path === deletion.path && manifest.endpoint.transport === 'http'
        ? [
            errorAt(
              `/actions/${index}/path`,
              'deletion_path_taken',
              'deletion notices are sent to the path of an action',
              'give them a path of their own',
            ),
          ]
        : [],
    ),
  ]
}
