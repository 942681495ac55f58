import { isBrokerFilled } from '../schema/schema-node.ts'
import { fieldAt, has, type LintedAction, type LintSubject } from './lint-subject.ts'
import type { Companion } from './manifest.ts'
import { errorAt, type ManifestFault, warningAt } from './manifest-fault.ts'
import type { SchemaField } from './schema-field.ts'

const ROLES = ['preview', 'status', 'cancel', 'stop', 'undo'] as const
type Role = (typeof ROLES)[number]

/** What a field must hold to take an execution id or a broker key. */
const BROKER_ID_CHARS = 64

/** Rules on the actions the broker calls by itself: for a preview, and to learn, cancel, stop or undo. */
export function lintCompanions(subject: LintSubject): ManifestFault[] {
  return subject.actions.flatMap((linted) => [
    ...ROLES.flatMap((role) => {
      const companion = linted.action[role]
      return companion ? lintCompanion(subject, linted, role, companion) : []
    }),
    ...lintSettling(linted),
  ])
}

function lintCompanion(
  subject: LintSubject,
  linted: LintedAction,
  role: Role,
  companion: Companion,
): ManifestFault[] {
  const at = `${linted.at}/${role}`
  const target = subject.actions.find(({ action }) => action.name === companion.action)
  if (!target || target === linted)
    return [
      errorAt(
        `${at}/action`,
        'companion_unknown',
        `${companion.action} is not another action of this manifest`,
        'name one of the other actions',
      ),
    ]
  return [
    ...lintEffects(at, role, target),
    ...(role === 'status' ? lintStatusAnswer(subject, target) : []),
    ...lintRequired(at, companion, target),
    ...Object.keys(companion.arguments).flatMap((pointer) =>
      lintArgument(at, role, pointer, companion, linted, target),
    ),
  ]
}

function lintEffects(at: string, role: Role, { action }: LintedAction): ManifestFault[] {
  if (has(action, 'spend'))
    return [
      errorAt(
        `${at}/action`,
        'companion_spends',
        'a call that the broker makes by itself may not spend',
        'name an action without the effect spend',
      ),
    ]
  const isReading = role === 'preview' || role === 'status'
  const isReadOnly = action.effects.every((effect) => effect === 'read')
  if (isReading && !isReadOnly)
    return [
      errorAt(
        `${at}/action`,
        'companion_not_read_only',
        `a ${role} action may only read`,
        'name an action whose only effect is read',
      ),
    ]
  if (!isReading && isReadOnly)
    return [
      errorAt(
        `${at}/action`,
        'companion_changes_nothing',
        `an action that only reads cannot ${role} anything`,
        'name the action that does, with the effect it has',
      ),
    ]
  return []
}

/** A status answer settles money only if it is signed, so it must carry a receipt and there must be a key. */
function lintStatusAnswer({ manifest }: LintSubject, { action, at }: LintedAction): ManifestFault[] {
  const faults: ManifestFault[] = []
  if (!action.receiptPointer)
    faults.push(
      errorAt(
        at,
        'status_unsigned',
        'a status action must answer with a signed receipt',
        'add receiptPointer, the place of the receipt in the result',
      ),
    )
  if (manifest.runtimeKeys.length === 0)
    faults.push(
      errorAt(
        '/runtimeKeys',
        'runtime_key_missing',
        'status answers are signed, but no key is listed',
        'list the public key the skill signs with',
      ),
    )
  return faults
}

function lintRequired(at: string, companion: Companion, target: LintedAction): ManifestFault[] {
  return (target.input ?? [])
    .filter((field) => field.isAlwaysThere && !field.hasDefault && !isBrokerFilled(field.leaf))
    .filter((field) => !Object.hasOwn(companion.arguments, field.pointer))
    .map((field) =>
      errorAt(
        `${at}/arguments`,
        'companion_argument_missing',
        `${target.action.name} requires ${field.pointer}`,
        'map it from the arguments, the result, the execution id or the broker key',
      ),
    )
}

function lintArgument(
  at: string,
  role: Role,
  pointer: string,
  companion: Companion,
  linted: LintedAction,
  target: LintedAction,
): ManifestFault[] {
  const source = companion.arguments[pointer]
  if (!target.input || !linted.input || !linted.result || !source) return []
  const place = `${at}/arguments/${pointer.replaceAll('~', '~0').replaceAll('/', '~1')}`
  const into = fieldAt(target.input, pointer)
  if (!into || pointer.includes('/*'))
    return [
      errorAt(
        place,
        'pointer_to_nothing',
        `${target.action.name} has no single field at ${pointer}`,
        'point at a field of its input',
      ),
    ]
  if (isBrokerFilled(into.leaf))
    return [
      errorAt(
        place,
        'companion_fills_broker_field',
        `${pointer} is filled by the broker`,
        'leave it out of the mapping',
      ),
    ]
  if (!('pointer' in source)) {
    if (role === 'preview')
      return [
        errorAt(
          place,
          'companion_source_unknown_yet',
          'a preview is made before there is an execution',
          'take it from the arguments',
        ),
      ]
    const isRoomy = into.leaf.type === 'string' && into.leaf.maxLength >= BROKER_ID_CHARS
    return isRoomy
      ? []
      : [
          errorAt(
            into.at,
            'companion_argument_too_short',
            `must hold ${BROKER_ID_CHARS} characters of text`,
            `give it type string and maxLength ${BROKER_ID_CHARS} or more`,
          ),
        ]
  }
  if (source.from === 'result' && (role === 'preview' || role === 'status'))
    return [
      errorAt(
        place,
        'companion_source_unknown_yet',
        `a ${role} call is needed when there is no result`,
        'take it from the arguments or the execution id',
      ),
    ]
  return lintSource(place, source.pointer, source.from === 'result' ? linted.result : linted.input, into)
}

function lintSource(
  place: string,
  pointer: string,
  fields: readonly SchemaField[],
  into: SchemaField,
): ManifestFault[] {
  const from = fieldAt(fields, pointer)
  if (!from || pointer.includes('/*'))
    return [
      errorAt(
        place,
        'pointer_to_nothing',
        `there is no single field at ${pointer}`,
        'point at a field of this action',
      ),
    ]
  if (isBrokerFilled(from.leaf))
    return [
      errorAt(
        place,
        'companion_source_hidden',
        `${pointer} is filled by the broker and not recorded`,
        'take another field, or the broker key',
      ),
    ]
  if (from.leaf.type !== into.leaf.type)
    return [
      errorAt(
        place,
        'companion_type_mismatch',
        `${pointer} is a ${from.leaf.type}, ${into.pointer} a ${into.leaf.type}`,
        'map fields of the same type',
      ),
    ]
  if (into.isAlwaysThere && !from.isAlwaysThere)
    return [
      errorAt(
        place,
        'companion_source_optional',
        `${pointer} may be missing, ${into.pointer} may not`,
        'take a field that is always there',
      ),
    ]
  return []
}

/** What may be left in doubt needs a way out of it that is not an operator. */
function lintSettling({ action, at }: LintedAction): ManifestFault[] {
  if (action.poll && !action.status)
    return [
      errorAt(
        `${at}/poll`,
        'poll_without_status',
        'there is nothing to ask again with',
        'name a status action',
      ),
    ]
  const mayBeInDoubt = has(action, 'spend') || has(action, 'physical') || has(action, 'authority')
  if (mayBeInDoubt && !action.status && !action.honoursKeys)
    return [
      warningAt(
        at,
        'only_operators_can_settle',
        'a call whose answer is lost can only be settled by hand',
        'name a status action, or honour keys',
      ),
    ]
  return []
}
