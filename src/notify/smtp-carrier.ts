import { createTransport } from 'nodemailer'
import { domainOfMailAddress } from '../core/grant/mail-address.ts'
import type { Carried, MailCarrier } from '../ports/carriers.ts'
import { textOf, wordsFor } from './message-text.ts'

export type SmtpConfig = {
  /** smtp: or smtps:, with the account to send as where the server wants one. */
  readonly url: string
  readonly from: string
}

const CONNECT_WITHIN_MS = 10_000
const SILENT_AT_MOST_MS = 20_000

/**
 * Mails through the configured server: plain text, one recipient, nothing fetched and nothing attached. Only a server
 * on this machine is spoken to without TLS.
 *
 * @throws RangeError if the URL is not one of a mail server.
 */
export function openSmtp({ url, from }: SmtpConfig): MailCarrier & { close(): void } {
  const transport = createTransport({
    ...serverOf(url),
    connectionTimeout: CONNECT_WITHIN_MS,
    greetingTimeout: CONNECT_WITHIN_MS,
    socketTimeout: SILENT_AT_MOST_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
    pool: true,
    maxConnections: 4,
  })

  async function send(to: string, id: string, subject: string, lines: readonly string[]): Promise<Carried> {
    // An address was checked before it was kept; what is no single plain address is never handed to the server.
    if (domainOfMailAddress(to) === undefined) return { kind: 'gone' }
    try {
      await transport.sendMail({
        from: { name: 'Countersign', address: from },
        to: { name: '', address: to },
        envelope: { from, to: [to] },
        subject,
        text: `${lines.join('\n\n')}\n`,
        messageId: `<${id}@${from.slice(from.lastIndexOf('@') + 1)}>`,
        // RFC 3834 section 5: nobody's out-of-office notice should answer.
        headers: { 'Auto-Submitted': 'auto-generated' },
        textEncoding: 'base64',
      })
      return { kind: 'delivered' }
    } catch (error) {
      return failed(error)
    }
  }

  return {
    carry(address, delivery) {
      const { title, body } = textOf(delivery)
      const words = wordsFor(delivery.locale)
      return send(address, delivery.messageId, title, [
        body,
        `${words.open} ${delivery.openUrl}`,
        words.footer,
      ])
    },
    sendCode(address, code, locale) {
      const words = wordsFor(locale)
      const id = `code.${crypto.randomUUID()}`
      return send(address, id, words.codeTitle, [words.codeBody(code), words.footer])
    },
    close() {
      transport.close()
    },
  }
}

function serverOf(text: string) {
  const isUrl = /^smtps?:\/\//.test(text) && URL.canParse(text)
  if (!isUrl) throw new RangeError('must be a URL such as smtps://user:password@mail.example')
  const url = new URL(text)
  const secure = url.protocol === 'smtps:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return {
    host,
    port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
    secure,
    requireTLS: !secure && !isThisMachine(host),
    ...(url.username === ''
      ? {}
      : { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } }),
  }
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host)
}

/** RFC 5321 section 4.2.1: 5yz is a permanent no, to the address or to the message; all else may pass. */
function failed(error: unknown): Carried {
  const code = error instanceof Error && 'responseCode' in error ? error.responseCode : undefined
  return typeof code === 'number' && code >= 500 && code < 600 ? { kind: 'refused' } : { kind: 'later' }
}
