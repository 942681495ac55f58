import type { MessageKind } from '../ports/messenger.ts'

/** The page a message opens; it shows and does nothing, and only to whoever is signed in as its user. */
export function openUrlOf(kind: MessageKind, subjects: readonly string[]): string {
  const [only, ...others] = subjects
  const one = others.length === 0 ? only : undefined
  switch (kind) {
    case 'approval_waiting':
      return one === undefined ? '/inbox' : `/approvals/${one}`
    case 'consent_waiting':
      return one === undefined ? '/inbox' : `/consents/${one}`
    case 'agent_connected':
    case 'connection_moved':
      return one === undefined ? '/me' : `/me/connections/${one}`
    case 'grant_expires_unused':
    case 'grant_expired_unused':
      return one === undefined ? '/me' : `/me/grants/${one}`
    case 'recovered':
    case 'security_changed':
    case 'erasure_scheduled':
    case 'erasure_cancelled':
      return '/security'
    case 'account_linked':
    case 'account_unlinked':
      return '/linked'
    case 'erased':
      return '/'
    case 'incident':
    case 'export_ready':
      return '/me'
  }
}
