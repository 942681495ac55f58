import type { KeyObject } from 'node:crypto'
import type { Carriers } from '../ports/carriers.ts'
import type { SkillCaller } from '../ports/skill-caller.ts'
import { openWebhook } from './signed-webhook.ts'
import { openSmtp } from './smtp-carrier.ts'
import { readSmtpUrl } from './smtp-url-file.ts'
import { openWebPush } from './web-push-carrier.ts'

export type CarriersConfig = {
  readonly issuer: string
  readonly platformWebhook: string | null
  readonly smtpUrlFile: string | null
  readonly mailFrom: string | null
  readonly caller: Pick<SkillCaller, 'call'>
  readonly keys: {
    readonly vapid: { readonly publicKey: string; readonly privateKey: string }
    readonly webhook: {
      readonly key: KeyObject
      readonly kid: string
      readonly publicJwk: Readonly<Record<string, string>>
    }
  }
  readonly nowMs: () => number
}

/**
 * Opens every way out that is configured; Web Push always is.
 *
 * @throws SmtpUrlFileBroken
 */
export function openCarriers(config: CarriersConfig): Carriers {
  const { caller, keys, nowMs, smtpUrlFile, mailFrom, platformWebhook, issuer } = config
  // RFC 8292 wants somebody to turn to: a push service refuses http, so a broker on this machine names a mail address.
  const contact = issuer.startsWith('https:') ? issuer : `mailto:${mailFrom ?? 'operator@localhost'}`
  const mail =
    smtpUrlFile === null || mailFrom === null
      ? null
      : openSmtp({ url: readSmtpUrl(smtpUrlFile), from: mailFrom })
  return {
    push: openWebPush({ caller, vapid: keys.vapid, contact, nowMs }),
    mail,
    platform:
      platformWebhook === null ? null : openWebhook({ url: platformWebhook, caller, ...keys.webhook, nowMs }),
    webhookKey: keys.webhook.publicJwk,
    async close() {
      mail?.close()
    },
  }
}
