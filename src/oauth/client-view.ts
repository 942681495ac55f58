import type { Client } from 'oidc-provider'
import { checkText, visibleText } from '../core/text-rules.ts'
import { redirectPlace } from './client-rules.ts'

/** What a person is shown of a client, and how far each part of it can be believed. */
export type ClientView = {
  readonly id: string
  /** As it calls itself: anybody can call themselves anything. */
  readonly claimedName: string
  /** Where its answer goes, which is certain; or the domain that publishes its metadata. */
  readonly host: string
  /** Its answer goes to a program on the user's own machine, and any program there can ask for it. */
  readonly isLoopback: boolean
  /** The domain stands behind it: its id is a document published there. */
  readonly isPublished: boolean
  /** It proves who it is with a key of its own. */
  readonly isConfidential: boolean
}

const NAME_CHARACTERS_MOST = 80

/** @param redirectUri where this answer goes; undefined for a device, which has no browser. */
export function clientView(client: Client, redirectUri: string | undefined): ClientView {
  const place = redirectUri === undefined ? undefined : redirectPlace(redirectUri)
  const isPublished = client.clientId.startsWith('https://')
  const publisher = isPublished ? new URL(client.clientId).host : undefined
  return {
    id: client.clientId,
    claimedName: claimedName(client.clientName),
    host: publisher ?? place?.host ?? '',
    isLoopback: place?.isLoopback ?? false,
    isPublished,
    isConfidential: client.clientAuthMethod === 'private_key_jwt',
  }
}

/** A name is kept and shown in one line; odd characters are shown as what they are. */
function claimedName(name: string | undefined): string {
  const text = visibleText((name ?? '').normalize('NFC')).trim()
  const short = text.slice(0, NAME_CHARACTERS_MOST).toWellFormed()
  return short === '' || checkText(short, 'plain') !== undefined ? '' : short
}
