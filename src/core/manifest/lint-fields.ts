import { isBrokerFilled } from '../schema/schema-node.ts'
import { fieldAt, type LintedAction, type LintSubject } from './lint-subject.ts'
import { errorAt, type ManifestFault, warningAt } from './manifest-fault.ts'
import type { SchemaField } from './schema-field.ts'

/** Rules on what fields are marked with. */
export function lintFields(subject: LintSubject): ManifestFault[] {
  const categories = Object.keys(subject.manifest.categories)
  return subject.actions.flatMap((linted) => [
    ...lintCategories(linted, categories),
    ...lintReceivers(subject, linted),
    ...lintBrokerFilled(linted),
    ...lintReservedNames(linted),
    ...lintReceiptPlace(subject, linted),
  ])
}

function lintCategories({ input, result }: LintedAction, categories: readonly string[]): ManifestFault[] {
  return [...(input ?? []), ...(result ?? [])].flatMap(({ leaf, at }) =>
    categories.includes(leaf.category)
      ? []
      : [
          errorAt(
            `${at}/x-category`,
            'unknown_category',
            `${leaf.category} is not declared under /categories`,
            'declare it under /categories with a title, or use one that is',
          ),
        ],
  )
}

/** What is sent goes to somebody: a category that no recipient of the action is said to get would go unseen. */
function lintReceivers({ manifest }: LintSubject, { action, input }: LintedAction): ManifestFault[] {
  const received = manifest.recipients
    .filter((recipient) => action.recipients.includes(recipient.id))
    .flatMap((recipient) => recipient.categories)
  return (input ?? []).flatMap(({ leaf, at }) =>
    received.includes(leaf.category)
      ? []
      : [
          errorAt(
            at,
            'category_without_recipient',
            `no recipient of ${action.name} is declared to get ${leaf.category}`,
            'add the category to the recipient that gets it, or the recipient to the action',
          ),
        ],
  )
}

/** Arguments of the broker's own, such as `_again` of its tools, begin with an underscore and never reach a skill. */
function lintReservedNames({ input }: LintedAction): ManifestFault[] {
  const reserved = (input ?? []).filter(({ pointer }) => pointer.startsWith('/_'))
  return reserved.map(({ at }) =>
    errorAt(
      at,
      'argument_name_reserved',
      'arguments that begin with an underscore are the broker’s own',
      'call it something else',
    ),
  )
}

/** Broker-filled fields stay between the broker and the skill: no default shows them, no result returns them. */
function lintBrokerFilled({ input, result }: LintedAction): ManifestFault[] {
  const isHidden = (field: SchemaField) => isBrokerFilled(field.leaf)
  return [
    ...(input ?? [])
      .filter((field) => isHidden(field) && field.hasDefault)
      .map(({ at }) =>
        errorAt(
          `${at}/default`,
          'broker_filled_has_default',
          'the broker fills this field',
          'remove the default',
        ),
      ),
    ...(input ?? [])
      .filter((field) => isHidden(field) && field.leaf.type !== 'string')
      .map(({ at }) =>
        errorAt(at, 'broker_filled_not_text', 'the broker fills this field with text', 'give it type string'),
      ),
    ...(result ?? [])
      .filter(isHidden)
      .map(({ at }) =>
        errorAt(
          at,
          'broker_filled_in_result',
          'agents must not see what the broker fills in',
          'remove the field from the result',
        ),
      ),
  ]
}

function lintReceiptPlace({ manifest }: LintSubject, { action, at, result }: LintedAction): ManifestFault[] {
  if (!action.receiptPointer || !result) return []
  const field = fieldAt(result, action.receiptPointer)
  if (field?.leaf.type !== 'string')
    return [
      errorAt(
        `${at}/receiptPointer`,
        'pointer_to_nothing',
        'the result has no text there',
        'point at a string of the result',
      ),
    ]
  if (manifest.runtimeKeys.length === 0)
    return [
      warningAt(
        '/runtimeKeys',
        'runtime_key_missing',
        'receipts are promised, but no key is listed',
        'list the public key the skill signs with',
      ),
    ]
  return []
}
