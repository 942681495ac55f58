import { findLink } from '../core/manifest/links.ts'
import type { LinkedAccountRow } from '../ports/link-rows.ts'
import { openTokens } from './account-tokens.ts'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import { destroyTexts } from './seal-text.ts'
import { tellInTx } from './tell.ts'
import { revokeToken } from './token-endpoint.ts'

export type AccountUnlinked =
  /** What the skill said when it was told; null where it has no way to be told, or nothing to be told of. */
  { kind: 'unlinked'; account: LinkedAccountRow; revokedAtSkill: boolean | null } | { kind: 'not_found' }

/**
 * Takes an account back: from here on no action is filled with it, its tokens are destroyed, and the skill is told where
 * its manifest says how. What the skill does with what it has cannot be proven.
 */
export async function unlinkAccount(
  broker: Broker,
  { userId, accountId }: { userId: string; accountId: string },
): Promise<AccountUnlinked> {
  const found = await broker.store.read(async (tx) => tx.linkedAccounts.find(accountId))
  if (found?.userId !== userId) return { kind: 'not_found' }
  const seal = await sealerFor(broker, { userId, skillId: found.skillId })
  const account = await broker.store.transaction(
    async (tx) => {
      const removed = await tx.linkedAccounts.remove(userId, accountId)
      if (!removed) return undefined
      const leaf = seal(
        {
          type: 'account',
          outcome: 'unlinked',
          reason: 'by_user',
          core: { skill: removed.skillId, link: removed.link, means: removed.means },
          subj: { user: userId, account: accountId },
        },
        tx.nowMs,
      )
      await tx.log.append(leaf, tx.nowMs)
      await tellInTx(broker, tx, userId, { kind: 'account_unlinked', id: accountId })
      return removed
    },
    { userId },
  )
  if (!account) return { kind: 'not_found' }
  broker.deliveries.wake()
  const kept = await openTokens(broker, account)
  await destroyTexts(broker, [account.tokens])
  const secret = kept?.refreshToken ?? kept?.accessToken
  return {
    kind: 'unlinked',
    account,
    revokedAtSkill: secret ? await tellSkill(broker, account, secret) : null,
  }
}

/** Takes back everything a user has linked, as when they are erased. */
export async function unlinkEverything(broker: Broker, userId: string): Promise<void> {
  const accounts = await broker.store.read(async (tx) => tx.linkedAccounts.list(userId))
  for (const { id } of accounts) await unlinkAccount(broker, { userId, accountId: id })
}

async function tellSkill(broker: Broker, account: LinkedAccountRow, token: string): Promise<boolean | null> {
  const { manifest } = await broker.store.read((tx) => broker.manifests.load(tx, account.manifestDigest))
  const endpoint = findLink(manifest, account.link)?.revocationEndpoint
  const client = broker.linkClients.find(account.skillId, account.link)
  return endpoint && client ? revokeToken(broker, endpoint, client, token) : null
}
