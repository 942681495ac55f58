import type { GrantTerms } from '../core/grant/terms.ts'
import { findAction, type Manifest } from '../core/manifest/manifest.ts'
import { needsStepUp } from '../core/people/step-up-policy.ts'

/** Whether giving these terms takes a passkey: whatever spends, acts, sends away or changes who may do what does. */
export function stepUpForTerms(manifest: Manifest, terms: GrantTerms): boolean {
  const effects = terms.actions.flatMap(
    // What the manifest does not know any more cannot be called harmless.
    ({ name }) => findAction(manifest, name)?.effects ?? ['authority' as const],
  )
  return needsStepUp({ kind: 'give_grant', effects })
}
