import type { Manifest } from '../manifest/manifest.ts'
import { findAction } from '../manifest/manifest.ts'
import { DAY_MS } from './grant-state.ts'
import type { Constraint, GrantTerms } from './terms.ts'

/** How long a grant lasts when the agent names no time. */
export const DEFAULT_GRANT_DAYS = 30

/** What an agent says of the terms it would like; what it leaves out is filled in as narrowly as makes sense. */
export type WishedTerms = {
  readonly actions: readonly {
    readonly name: string
    readonly constraints?: readonly Constraint[] | undefined
  }[]
} & { readonly [Field in Exclude<keyof GrantTerms, 'skill' | 'actions'>]?: GrantTerms[Field] | undefined }

/**
 * Returns the terms to show a person for what an agent asked.
 *
 * Silence gives nothing: no budget, category or memory, and thirty days. Only recipients are filled in, with
 * those the asked actions cannot run without; whether the rest fits is for `checkTermsAgainstManifest`.
 */
export function defaultTerms(manifest: Manifest, wished: WishedTerms, nowMs: number): GrantTerms {
  return {
    skill: manifest.skill,
    actions: wished.actions.map(({ name, constraints }) => ({ name, constraints: [...(constraints ?? [])] })),
    budgets: wished.budgets ?? [],
    askFirst: wished.askFirst ?? [],
    unasked: wished.unasked ?? [],
    categories: wished.categories ?? [],
    recipients: wished.recipients ?? neededRecipients(manifest, wished),
    retentionDays: wished.retentionDays ?? {},
    deployments: wished.deployments ?? { kind: 'registered' },
    oneTime: wished.oneTime ?? false,
    expiresAtMs: wished.expiresAtMs ?? nowMs + DEFAULT_GRANT_DAYS * DAY_MS,
    sharesBudget: wished.sharesBudget ?? false,
  }
}

function neededRecipients(manifest: Manifest, wished: WishedTerms): string[] {
  const needed = wished.actions.flatMap(({ name }) => findAction(manifest, name)?.recipients ?? [])
  return [...new Set(needed)]
}
