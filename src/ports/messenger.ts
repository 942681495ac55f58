/** Why somebody is told. Codes are stable: the platform's own app meets them in its webhook. */
export const MESSAGE_KINDS = [
  /** One exact action, or a wider authority, waits for an answer. */
  'approval_waiting',
  'consent_waiting',
  /** A sign-in was recovered with a code; sessions ended. */
  'recovered',
  /** What signs this person in was changed: a passkey was added or removed, recovery codes were made anew. */
  'security_changed',
  /** Something connects, or took over what another connection had. */
  'agent_connected',
  'connection_moved',
  'grant_expires_unused',
  'grant_expired_unused',
  'incident',
  'account_linked',
  'account_unlinked',
  'erasure_scheduled',
  'erasure_cancelled',
  'erased',
  'export_ready',
] as const
export type MessageKind = (typeof MESSAGE_KINDS)[number]

/**
 * What a person is told outside the pages: what kind of thing, and the id of the thing. Never an argument, an amount
 * or a name, and no link that acts: whoever reads it on a lock screen learns that something waits, and nothing more.
 */
export type Message = { readonly kind: MessageKind; readonly id?: string }

/** Tells a person on every channel they have. */
export interface Messenger {
  /** Resolves once the message is kept; it is delivered soon after, at least once on each channel, or expires. */
  tell(userId: string, message: Message): Promise<void>
}
