import type { Manifest, ManifestAction } from '../manifest/manifest.ts'
import { findAction } from '../manifest/manifest.ts'
import type { Deployment } from '../model/deployment.ts'
import type { Say } from './consent-sentence.ts'
import type { InputField } from './input-field.ts'
import { findInputField, listInputFields } from './input-field.ts'
import type { Speaker } from './speaker.ts'
import type { GrantTerms } from './terms.ts'
import { WORDS } from './words.ts'

/** Everything a consent page speaks of. */
export type ConsentSubject = {
  readonly kind: 'request' | 'grant' | 'difference'
  readonly manifest: Manifest
  readonly terms: GrantTerms
  readonly agent: { readonly name: string }
  /** The domain only if the publisher has proven it. */
  readonly publisher: { readonly name: string; readonly domain?: string | undefined }
  /** The agent's registered deployments. */
  readonly deployments: readonly { readonly id: string; readonly deployment: Deployment }[]
  /** Labels the user gave; a recipient without one is named by its id. */
  readonly savedRecipients?: readonly { readonly id: string; readonly label: string }[]
  /** What the agent says it wants this for; null if it says nothing. */
  readonly purpose: string | null
  /** Whether the skill checks the broker's signature on each call (P9). */
  readonly skillVerifiesCalls: boolean
  /** IANA name of the user's time zone. */
  readonly zone: string
  /** When the page is shown; only whether the terms have ended depends on it. */
  readonly nowMs: number
}

/** A subject with the means to speak of it in one language. */
export type Telling = { readonly subject: ConsentSubject; readonly speaker: Speaker; readonly say: Say }

/** Enough to speak of a skill's actions, with or without a consent. */
export type SkillTelling = {
  readonly subject: { readonly manifest: Manifest }
  readonly speaker: Speaker
  readonly say: Say
}

/** Returns the actions of the terms that the manifest has, in the order of the terms. */
export function grantedActions(subject: ConsentSubject): ManifestAction[] {
  return subject.terms.actions.flatMap(({ name }) => findAction(subject.manifest, name) ?? [])
}

/** Returns how a page names an action: by its title, or by its name if the manifest no longer has it. */
export function actionTitle({ subject, speaker }: SkillTelling, name: string): string {
  const action = findAction(subject.manifest, name)
  return action ? speaker.title(action.title) : speaker.quote(name)
}

/** Returns the titles of actions as a list. */
export function actionTitles(telling: SkillTelling, names: readonly string[]): string {
  return telling.speaker.list([...new Set(names)].map((name) => actionTitle(telling, name)))
}

/** Returns categories by their titles, as a list. */
export function categoryTitles({ subject, speaker }: Telling, names: readonly string[]): string {
  const { categories } = subject.manifest
  return speaker.list(
    names.map((name) => {
      const title = Object.hasOwn(categories, name) ? categories[name] : undefined
      return title ? speaker.title(title) : speaker.quote(name)
    }),
  )
}

/**
 * Returns how a page names an argument: by its title, and by its pointer if there is no title or another
 * field of the action has the same, so that two fields are never taken for one.
 */
export function fieldName(speaker: Speaker, action: ManifestAction | undefined, pointer: string): string {
  const field = action && findInputField(action, pointer)
  const title = field?.title
  if (!action || !title) return every(speaker, pointer, speaker.quote(pointer))
  const isShared = listInputFields(action).some(
    (other: InputField) =>
      other.pointer !== pointer && other.title?.[speaker.locale] === title[speaker.locale],
  )
  const name = speaker.title(title)
  return every(speaker, pointer, isShared ? `${name} ${speaker.quote(pointer)}` : name)
}

function every(speaker: Speaker, pointer: string, name: string): string {
  return pointer.split('/').includes('*') ? WORDS[speaker.locale].every(name) : name
}
