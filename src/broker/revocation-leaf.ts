import type { LeafContent } from '../core/log/leaf.ts'
import { plainJson } from '../core/manifest/manifest-change.ts'
import type { Revocation, RevokeScope } from './revoke-in-scope.ts'

/** The sealed parts that record what was taken back and what was still running then. */
export function revocationParts(
  userId: string,
  scope: RevokeScope,
  revocation: Revocation,
): Pick<LeafContent, 'core' | 'subj' | 'body'> {
  const { grants, consentRequests, approvals, unsettled, commitments } = revocation
  return {
    core: {
      scope: scope.kind,
      skill: scope.kind === 'skill' ? scope.id : null,
      unsettled: unsettled.map(({ skillId, action, status, currency, heldMinor }) => ({
        skillId,
        action,
        status,
        currency,
        heldMinor,
      })),
      commitments: commitments.map(({ skillId, times }) => ({ skillId, times })),
    },
    subj: plainJson({
      user: userId,
      agent: scope.kind === 'agent' ? scope.id : null,
      grants,
      consentRequests,
      approvals,
      unsettled: unsettled.map(({ actionId }) => actionId),
      commitments: commitments.map(({ actionId }) => actionId),
    }),
  }
}
