// Entry `countersign/verify`: proves receipts, promises and the log with public keys, and nothing of a broker's.
export type { Receipt, ReceiptClaims } from '../../core/execution/receipt.ts'
export type { Checkpoint } from '../../core/merkle/checkpoint.ts'
export type { LogFault } from '../../core/merkle/log-audit.ts'
export { type NoteKey, parseVkey } from '../../core/merkle/note-key.ts'
export { type FollowVerdict, followLog } from '../follow-log.ts'
export { httpLogSource } from '../http-log-source.ts'
export type { LogSource } from '../log-source.ts'
export {
  type GrantStatus,
  readStatusList,
  type StatusListTrust,
  type StatusListVerdict,
} from '../read-status-list.ts'
export {
  type DeletionReceiptTrust,
  type DeletionReceiptVerdict,
  verifyDeletionReceipt,
} from '../verify-deletion-receipt.ts'
export {
  type ExportedEventVerdict,
  type ExportedPartVerdict,
  verifyExportedEvent,
} from '../verify-exported-event.ts'
export { type LogTrust, type LogVerdict, readHead, verifyLog } from '../verify-log.ts'
export { type PromiseTrust, type PromiseVerdict, verifyPromise } from '../verify-promise.ts'
export { type ReceiptTrust, type ReceiptVerdict, verifyReceipt } from '../verify-receipt.ts'
export { type RevocationReceiptVerdict, verifyRevocationReceipt } from '../verify-revocation-receipt.ts'
