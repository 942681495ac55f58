// Entry `countersign/skill-guard`: what a skill's server needs to let in only what a broker permitted.
export type { VerifiedCall } from '../../core/execution/verify-action-token.ts'
export type { BrokerKeyOption } from '../broker-keys.ts'
export { createIdempotentCalls, type Idempotent, type IdempotentAnswer } from '../idempotent-calls.ts'
export { answerOnce, type KeptAnswer, type OnceForEachKey } from '../once-for-each-key.ts'
export { createMemoryReplayStore, type ReplayStore } from '../replay-store.ts'
export {
  importSkillKey,
  type SkillSigningKey,
  type SkillStatement,
  signSkillReceipt,
} from '../sign-skill-receipt.ts'
export {
  createSkillGuard,
  type ReceivedRequest,
  type SkillGuard,
  type SkillGuardFault,
  type SkillGuardOptions,
  type SkillGuardVerdict,
} from '../skill-guard.ts'
export { callOf, type ExpressGuardOptions, expressSkillGuard, keepRawBody } from '../skill-guard-express.ts'
export { type FetchGuardOptions, type FetchHandler, fetchSkillGuard } from '../skill-guard-fetch.ts'
export { honoSkillGuard } from '../skill-guard-hono.ts'
export { type GuardedHandler, nodeSkillGuard } from '../skill-guard-node.ts'
export { createToolCallGuard, type ReceivedToolCall, type ToolCallGuardOptions } from '../tool-call-guard.ts'
