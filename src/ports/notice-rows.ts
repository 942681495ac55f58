/** What the store keeps of what skills may remember, and of the notices about it. Times are Unix milliseconds. */

export type SkillDutyRow = {
  actionId: string
  memoryClass: string
  userId: string
  skillId: string
  pairwiseId: string
  agentId: string
  grantId: string
  manifestDigest: string
  untilMs: number
  tellAtMs: number
  noticeId: string | null
  createdAtMs: number
}

export type SkillNoticeRow = {
  id: string
  userId: string
  skillId: string
  publisherId: string
  pairwiseId: string
  manifestDigest: string
  reason: string
  scope: string
  agentId: string | null
  grantId: string | null
  status: string
  attempts: number
  nextAtMs: number
  dueAtMs: number
  giveUpAtMs: number
  fault: string | null
  answerCode: string | null
  suspends: boolean
  queuedAtMs: number
  sentAtMs: number | null
  answeredAtMs: number | null
  overdueAtMs: number | null
  queuedEventId: string
  sentEventId: string | null
  answerEventId: string | null
  incidentId: string | null
}
