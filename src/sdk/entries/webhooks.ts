// Entry `countersign/webhooks`: what an agent or a skill needs to believe what a broker tells it of a revocation.
export type { AuthorityEvent } from '../../core/http-signature/authority-event.ts'
export type { BrokerKeyOption } from '../broker-keys.ts'
export { createMemoryReplayStore, type ReplayStore } from '../replay-store.ts'
export {
  createWebhookVerifier,
  type ReceivedWebhook,
  type VerifyWebhook,
  type WebhookFault,
  type WebhookVerdict,
  type WebhookVerifierOptions,
} from '../verify-webhook.ts'
