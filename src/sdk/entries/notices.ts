// Entry `countersign/notices`: what a skill's server needs to answer that it has deleted what a user wants deleted.
export type { VerifiedNotice } from '../../core/notice/notice-token.ts'
export type { BrokerKeyOption } from '../broker-keys.ts'
export {
  createDeletionNotices,
  type DeleteMemory,
  type DeletionNoticeOptions,
  type DeletionNotices,
  NOTICE_BYTES_MOST,
  type NoticeReply,
  type ReceivedNotice,
} from '../deletion-notices.ts'
export { handleDeletionNotice, nodeDeletionNotices } from '../handle-deletion-notice.ts'
export { createMemoryReplayStore, type ReplayStore } from '../replay-store.ts'
export type { DeletionAnswer } from '../sign-acknowledgement.ts'
export { importSkillKey, type SkillSigningKey } from '../sign-skill-receipt.ts'
