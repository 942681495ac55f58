// Entry `countersign/tool-loop`: a tool loop over any OpenAI-compatible endpoint, whose actions go through a broker.
export type { ModelFault } from '../ask-model.ts'
export type { ChatMessage, WireCall } from '../chat-message.ts'
export { type ModelEndpoint, regionOfHost, type ToolStyle } from '../model-endpoint.ts'
export type { AskedUser, ReadCall } from '../run-tool-call.ts'
export { type OpenAiTool, openAiTool, toolPrompt } from '../tool-format.ts'
export { createToolLoop } from '../tool-loop.ts'
export type {
  StopCode,
  ToolLoop,
  ToolLoopEnd,
  ToolLoopEvent,
  ToolLoopLimits,
  ToolLoopOptions,
} from '../tool-loop-contract.ts'
