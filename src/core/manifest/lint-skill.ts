import { escapeToken } from '../json-pointer.ts'
import type { LintSubject } from './lint-subject.ts'
import type { Bilingual } from './manifest.ts'
import { errorAt, type ManifestFault, warningAt } from './manifest-fault.ts'
import { parsePublicJwk } from './public-key.ts'
import { checkToolName, toolNameOf } from './tool-name.ts'

/** Rules on what stands once in a manifest, and on names. */
export function lintSkill(subject: LintSubject): ManifestFault[] {
  return [
    ...lintRuntimeKeys(subject),
    ...lintNames(subject),
    ...lintReferences(subject),
    ...lintMemory(subject),
    ...lintTexts(subject),
  ]
}

function lintRuntimeKeys({ manifest }: LintSubject): ManifestFault[] {
  return manifest.runtimeKeys.flatMap((key, index) => {
    const at = `/runtimeKeys/${index}`
    const parsed = parsePublicJwk(key)
    if (!parsed.ok)
      return [
        errorAt(
          at,
          parsed.fault.code,
          parsed.fault.message,
          'give the public half of an Ed25519 or P-256 key',
        ),
      ]
    const isTwice = manifest.runtimeKeys.findIndex((other) => other.kid === key.kid) < index
    return isTwice
      ? [errorAt(at, 'duplicate_key_id', 'the same key is listed twice', 'list each key once')]
      : []
  })
}

function lintNames({ manifest, actions }: LintSubject): ManifestFault[] {
  return [
    ...duplicates(
      manifest.actions.map((action) => action.name),
      '/actions',
      'name',
    ),
    ...duplicates(
      manifest.recipients.map((recipient) => recipient.id),
      '/recipients',
      'id',
    ),
    ...duplicates(
      manifest.memory.map((memory) => memory.class),
      '/memory',
      'class',
    ),
    ...actions.flatMap(({ action, at }) => {
      const toolName = toolNameOf(manifest.skill, action.name)
      const fault = checkToolName(toolName)
      if (fault === 'tool_name_reserved')
        return [
          errorAt(
            '/skill',
            fault,
            `the tool name ${toolName} is one of the broker's own`,
            'choose another skill id',
          ),
        ]
      if (fault)
        return [
          errorAt(
            `${at}/name`,
            fault,
            `the tool name ${toolName} has more than 64 characters`,
            'shorten the action or the skill id',
          ),
        ]
      return []
    }),
    ...actions.flatMap(({ action, at }) =>
      new Set(action.effects).size < action.effects.length
        ? [errorAt(`${at}/effects`, 'duplicate_effect', 'an effect is named twice', 'name each effect once')]
        : [],
    ),
  ]
}

function duplicates(names: readonly string[], list: string, member: string): ManifestFault[] {
  return names.flatMap((name, index) =>
    names.indexOf(name) < index
      ? [
          errorAt(
            `${list}/${index}/${member}`,
            'duplicate_name',
            `${name} is used twice`,
            'give each its own name',
          ),
        ]
      : [],
  )
}

function lintReferences({ manifest, actions }: LintSubject): ManifestFault[] {
  const recipientIds = manifest.recipients.map((recipient) => recipient.id)
  const classes = manifest.memory.map((memory) => memory.class)
  const categories = Object.keys(manifest.categories)
  const usedRecipients = manifest.actions.flatMap((action) => action.recipients)
  const usedClasses = manifest.actions.flatMap((action) => action.remembers)
  return [
    ...actions.flatMap(({ action, at }) => [
      ...unknown(action.recipients, recipientIds, `${at}/recipients`, 'unknown_recipient', '/recipients'),
      ...unknown(action.remembers, classes, `${at}/remembers`, 'unknown_memory_class', '/memory'),
    ]),
    ...manifest.recipients.flatMap((recipient, index) =>
      unknown(
        recipient.categories,
        categories,
        `/recipients/${index}/categories`,
        'unknown_category',
        '/categories',
      ),
    ),
    ...manifest.memory.flatMap((memory, index) =>
      unknown(
        memory.categories,
        categories,
        `/memory/${index}/categories`,
        'unknown_category',
        '/categories',
      ),
    ),
    ...unused(recipientIds, usedRecipients, '/recipients', 'unused_recipient'),
    ...unused(classes, usedClasses, '/memory', 'unused_memory_class'),
  ]
}

function unknown(names: readonly string[], known: readonly string[], at: string, code: string, list: string) {
  return names.flatMap((name, index) =>
    known.includes(name)
      ? []
      : [
          errorAt(
            `${at}/${index}`,
            code,
            `${name} is not declared under ${list}`,
            `declare it under ${list}, or remove it here`,
          ),
        ],
  )
}

function unused(
  names: readonly string[],
  used: readonly string[],
  at: string,
  code: string,
): ManifestFault[] {
  return names.flatMap((name, index) =>
    used.includes(name)
      ? []
      : [
          warningAt(
            `${at}/${index}`,
            code,
            `no action uses ${name}`,
            'remove it, or name it in the actions it is for',
          ),
        ],
  )
}

function lintMemory({ manifest }: LintSubject): ManifestFault[] {
  return manifest.memory.flatMap((memory, index) =>
    memory.sessionOnly && memory.maxDays > 0
      ? [
          errorAt(
            `/memory/${index}/maxDays`,
            'retention_contradicts',
            'kept for the session only, and for days',
            'set maxDays to 0, or sessionOnly to false',
          ),
        ]
      : [],
  )
}

function lintTexts({ manifest }: LintSubject): ManifestFault[] {
  return [
    ...lintText(manifest.title, '/title', 'title'),
    ...lintText(manifest.description, '/description', 'description'),
    ...manifest.actions.flatMap((action, index) => [
      ...lintText(action.title, `/actions/${index}/title`, 'title'),
      ...lintText(action.description, `/actions/${index}/description`, 'description'),
    ]),
    ...manifest.recipients.flatMap((recipient, index) =>
      lintText(recipient.title, `/recipients/${index}/title`, 'title'),
    ),
    ...manifest.memory.flatMap((memory, index) => lintText(memory.title, `/memory/${index}/title`, 'title')),
    ...Object.entries(manifest.categories).flatMap(([name, title]) =>
      lintText(title, `/categories/${escapeToken(name)}`, 'title'),
    ),
  ]
}

/** A title may be a brand that is written alike everywhere; a description may not. */
function lintText(text: Bilingual, at: string, kind: 'title' | 'description'): ManifestFault[] {
  const blank = (['en', 'zh'] as const).filter((language) => text[language].trim() !== text[language])
  if (blank.length > 0)
    return blank.map((language) =>
      errorAt(
        `${at}/${language}`,
        'text_blank',
        'the text starts or ends with white space, or is nothing else',
        'write what a person will read, without white space around it',
      ),
    )
  const unread = (['en', 'zh'] as const).filter((language) => /^TODO\b/.test(text[language]))
  if (unread.length > 0)
    return unread.map((language) =>
      errorAt(
        `${at}/${language}`,
        'text_to_review',
        'the text is marked as one that nobody has read yet',
        'write what a person will read, and take the mark off',
      ),
    )
  if (kind === 'title') return []
  if (!/\p{Script=Han}/u.test(text.zh) || text.en === text.zh)
    return [
      errorAt(
        `${at}/zh`,
        'text_not_translated',
        'the text is not in Chinese',
        'translate it: people agree to what they read',
      ),
    ]
  return []
}
