import type { FieldKind } from '../schema/schema-node.ts'
import { has, type LintedAction, type LintSubject } from './lint-subject.ts'
import type { Effect } from './manifest.ts'
import { errorAt, type ManifestFault, warningAt } from './manifest-fault.ts'
import type { SchemaField } from './schema-field.ts'

interface Topic {
  readonly name: 'money' | 'people' | 'links' | 'commands'
  readonly words: readonly string[]
  readonly effects: readonly Effect[]
  readonly kinds: readonly FieldKind[]
  /** What such a field is marked with. */
  readonly mark: FieldKind
}

const TOPICS: readonly Topic[] = [
  {
    name: 'money',
    words: 'amount price total subtotal pay charge refund fee tip cost balance fare tax'.split(' '),
    effects: ['spend'],
    kinds: ['amount', 'quotedAmount'],
    mark: 'amount',
  },
  {
    name: 'people',
    words: 'recipient payee beneficiary to cc bcc attendee email phone mobile share invite'.split(' '),
    effects: ['egress', 'authority'],
    kinds: ['recipient', 'account'],
    mark: 'recipient',
  },
  {
    name: 'links',
    words: 'url uri link href host origin'.split(' '),
    effects: ['egress'],
    kinds: ['url'],
    mark: 'url',
  },
  {
    name: 'commands',
    words: 'command cmd script shell sql'.split(' '),
    effects: ['physical'],
    kinds: ['command'],
    mark: 'command',
  },
]

/** A name that ends so speaks about something else: the status of a payment is no payment. */
const HARMLESS_ENDINGS = [
  'status',
  'count',
  'at',
  'by',
  'code',
  'type',
  'method',
  'name',
  'title',
  'label',
  'masked',
]

/** Tells whether the name of a field speaks of money. */
export function speaksOfMoney(name: string): boolean {
  return TOPICS.some((topic) => topic.name === 'money' && speaksOf(name, topic))
}

/** Rules on words: a publisher's effects are its own claim, its names often say more. */
export function lintWords({ actions }: LintSubject): ManifestFault[] {
  return actions.flatMap((linted) => [
    ...TOPICS.flatMap((topic) => [...lintActionName(linted, topic), ...lintFields(linted, topic)]),
    ...lintFormats(linted),
    ...lintEffects(linted),
  ])
}

function lintActionName({ action, at, input, result }: LintedAction, topic: Topic): ManifestFault[] {
  if (!speaksOf(action.name, topic) || topic.effects.some((effect) => has(action, effect))) return []
  const marked = [...(input ?? []), ...(result ?? [])].some(
    ({ leaf }) => leaf.kind && topic.kinds.includes(leaf.kind),
  )
  if (marked) return []
  return [
    warningAt(
      `${at}/name`,
      `speaks_of_${topic.name}`,
      `the name ${action.name} speaks of ${topic.name}, its effects do not`,
      `add the effect ${topic.effects.join(' or ')}, mark the fields concerned with x-kind "${topic.mark}", or rename the action`,
    ),
  ]
}

function lintFields({ action, input, result }: LintedAction, topic: Topic): ManifestFault[] {
  const suspects = (fields: readonly SchemaField[] | undefined) =>
    (fields ?? []).filter((field) => isOpenValue(field) && speaksOf(field.name, topic))
  const inInput = suspects(input).map((field) => {
    const isPlain = topic.words.includes(field.name) && field.name !== 'to'
    return (isPlain ? errorAt : warningAt)(
      field.at,
      `unmarked_${topic.mark}`,
      `${field.pointer} speaks of ${topic.name} and is not marked`,
      mendOf(topic),
    )
  })
  const inResult = suspects(result).map((field) => {
    // Money in the result of an action that declares none is the one sign of undeclared spending.
    const isUndeclaredMoney = topic.name === 'money' && !has(action, 'spend')
    if (isUndeclaredMoney)
      return errorAt(
        field.at,
        'amount_in_result',
        `${field.pointer} speaks of money in an action that spends none`,
        mendOf(topic),
      )
    return warningAt(
      field.at,
      `unmarked_${topic.mark}`,
      `${field.pointer} speaks of ${topic.name} and is not marked`,
      mendOf(topic),
    )
  })
  return [...inInput, ...inResult]
}

function mendOf(topic: Topic): string {
  return topic.name === 'money'
    ? 'mark it "x-kind": "amount" if money moves, "quotedAmount" if it is only a price, or rename it'
    : `mark it "x-kind": "${topic.mark}", or rename it`
}

/** A number or text of no kind yet, free to hold anything: a list of values or a date is neither. */
function isOpenValue({ leaf }: SchemaField): boolean {
  if (leaf.kind !== undefined || leaf.allowed !== undefined || leaf.type === 'boolean') return false
  return (
    leaf.type !== 'string' || leaf.format === undefined || leaf.format === 'uri' || leaf.format === 'email'
  )
}

/** What a format says outright needs no guessing. */
function lintFormats({ input, result }: LintedAction): ManifestFault[] {
  return [...(input ?? []), ...(result ?? [])].flatMap((field) => {
    const format = field.leaf.type === 'string' ? field.leaf.format : undefined
    const mark = format === 'uri' ? 'url' : format === 'email' ? 'recipient' : undefined
    if (mark === undefined || field.leaf.kind !== undefined) return []
    return [
      errorAt(
        field.at,
        `unmarked_${mark}`,
        `a field of format ${format} must be marked`,
        `add "x-kind": "${mark}"`,
      ),
    ]
  })
}

const CHANGING: readonly Effect[] = ['state-change', 'spend', 'physical', 'authority']
const ADDS_RECIPIENT =
  /(^|_)(add|save|create|register|new)_(\w+_)?(payee|recipient|beneficiary|contact)s?(_|$)/

function lintEffects({ action, at, input }: LintedAction): ManifestFault[] {
  const faults: ManifestFault[] = []
  if (has(action, 'read') && CHANGING.some((effect) => has(action, effect)))
    faults.push(
      warningAt(
        `${at}/effects`,
        'read_beside_change',
        'an action that changes something is not a reading one',
        'remove "read"',
      ),
    )
  if (ADDS_RECIPIENT.test(action.name) && !(action.addsRecipient && has(action, 'authority')))
    faults.push(
      errorAt(
        at,
        'adds_recipient_undeclared',
        `${action.name} adds somebody that later checks will trust`,
        'add the effect authority and set addsRecipient to true',
      ),
    )
  else if (action.addsRecipient && !has(action, 'authority'))
    faults.push(
      errorAt(
        `${at}/effects`,
        'adds_recipient_without_authority',
        'adding a recipient changes what later checks mean',
        'add the effect authority',
      ),
    )
  const url = (input ?? []).find((field) => field.leaf.kind === 'url')
  if (url && !has(action, 'egress'))
    faults.push(
      warningAt(
        url.at,
        'url_without_egress',
        'an address that the agent chooses can carry data to anyone',
        'add the effect egress',
      ),
    )
  return faults
}

function speaksOf(name: string, topic: Topic): boolean {
  const tokens = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
  if (HARMLESS_ENDINGS.includes(tokens.at(-1) ?? '')) return false
  return tokens.some((token) => topic.words.some((word) => token === word || token === `${word}s`))
}
