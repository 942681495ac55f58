import type { GrantTerms } from '../core/grant/terms.ts'
import { type Effect, findAction, type Manifest } from '../core/manifest/manifest.ts'

const GRAVE: readonly Effect[] = ['spend', 'authority', 'physical', 'egress']

/** Whether giving these terms takes a passkey: whatever spends, acts, sends away or changes who may do what does. */
export function stepUpForTerms(manifest: Manifest, terms: GrantTerms): boolean {
  return terms.actions.some(({ name }) => {
    const action = findAction(manifest, name)
    // What the manifest does not know any more cannot be called harmless.
    return !action || action.effects.some((effect) => GRAVE.includes(effect))
  })
}
