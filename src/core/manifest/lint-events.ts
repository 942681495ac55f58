import { eventsUrlOf } from './events.ts'
import type { LintSubject } from './lint-subject.ts'
import { errorAt, type ManifestFault } from './manifest-fault.ts'

/** Rules on where a skill is told that authority was taken back. */
export function lintEvents({ manifest }: LintSubject): ManifestFault[] {
  const { events, deletion, endpoint } = manifest
  if (!events) return []
  const unreachable =
    eventsUrlOf(manifest) === undefined
      ? [
          errorAt(
            '/events',
            'events_unreachable',
            'the skill has no URL that an event could be sent to',
            'remove it: the skill learns at its next call',
          ),
        ]
      : []
  const taken = manifest.actions.flatMap(({ path }, index) =>
    path === events.path && endpoint.transport === 'http' ? [`/actions/${index}/path`] : [],
  )
  if (deletion?.path === events.path) taken.push('/deletion/path')
  return [
    ...unreachable,
    ...taken.map((pointer) =>
      errorAt(
        pointer,
        'events_path_taken',
        'events are sent to this path too',
        'give them a path of their own',
      ),
    ),
  ]
}
