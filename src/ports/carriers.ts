import type { Locale } from '../core/grant/words.ts'
import type { MessageKind } from './messenger.ts'

/** One message on its way to one channel. It holds ids, and nothing that an id stands for. */
export type Delivery = {
  /** The same each time the same message is sent again. */
  readonly messageId: string
  readonly userId: string
  readonly kind: MessageKind
  readonly subjects: readonly string[]
  /** A page that shows more to whoever is signed in as this user, and does nothing by itself. */
  readonly openUrl: string
  readonly locale: Locale
  readonly createdAtMs: number
  readonly expiresAtMs: number
}

export type Carried =
  | { readonly kind: 'delivered' }
  /** The address is no more: the channel is to be forgotten. */
  | { readonly kind: 'gone' }
  /** Try again, not before the time where one is named. */
  | { readonly kind: 'later'; readonly afterMs?: number }
  /** This message is not wanted there; another may be. */
  | { readonly kind: 'refused' }

/** Takes messages to one kind of channel. Never throws for what a network or the other side does. */
export interface Carrier {
  carry(address: string, delivery: Delivery): Promise<Carried>
}

export interface PushCarrier extends Carrier {
  /** The VAPID key a browser subscribes with, base64url (RFC 8292). */
  readonly publicKey: string
  /** Sends a first message that proves the subscription. */
  greet(address: string, locale: Locale): Promise<Carried>
}

export interface MailCarrier extends Carrier {
  /** Mails a code that proves the address. */
  sendCode(address: string, code: string, locale: Locale): Promise<Carried>
}

/** The ways out this broker is configured with; null where there is none. */
export interface Carriers {
  readonly push: PushCarrier | null
  readonly mail: MailCarrier | null
  /** The platform's own app; it learns of every user's messages. */
  readonly platform: Carrier | null
  /** What the platform's app verifies the webhook's signatures with, as a JWK (RFC 8037). */
  readonly webhookKey: Readonly<Record<string, string>>
  close(): Promise<void>
}
