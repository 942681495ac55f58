// Entry `countersign/agent`: what an agent's own program needs to act through a broker.
export type { Receipt } from '../../core/execution/receipt.ts'
export type { Deployment } from '../../core/model/deployment.ts'
export { deploymentIdOf } from '../../core/model/deployment-id.ts'
export type {
  ActionOutcome,
  ActionPreview,
  AgentTool,
  ApprovalAsked,
  Authority,
  ConsentAsked,
  Recalled,
  Remembered,
  SkillSummary,
} from '../agent-answers.ts'
export {
  type AgentClient,
  type AgentClientOptions,
  type CallOptions,
  createAgentClient,
} from '../agent-client.ts'
export { bearerToken, type Credential } from '../agent-credential.ts'
export type { AgentFault, Answered, ClientFaultCode, InputFault } from '../agent-fault.ts'
export type {
  ActionRequest,
  ConsentWish,
  MemoryWish,
  PerformAnswer,
  Performed,
  Question,
  QuestionEnd,
  RecallWish,
} from '../agent-request.ts'
export {
  type AgentTokens,
  agentTokens,
  memoryTokenStore,
  type TokenOptions,
  type TokenStore,
} from '../agent-tokens.ts'
export { type DeviceSignIn, type DeviceSignInOptions, startDeviceSignIn } from '../device-sign-in.ts'
export { createDpopKey, type DpopKey, importDpopKey } from '../dpop-key.ts'
export { fileTokenStore } from '../file-token-store.ts'
