import type { LimitedBy } from '../../core/memory/retention.ts'

/** Words of the page of what agents remember. */
export const MEMORY_EN = {
  title: 'What agents remember about you',
  intro:
    'Only the agent that wrote it can read it, while its authority stands. At the time shown here it is destroyed, not just hidden. Forgetting destroys it at once.',
  emptyTitle: 'Nothing is remembered',
  emptyText:
    'When an agent keeps something for later, it stands here: what, by whom, for what and until when.',
  by: (agent: string) => `Kept by ${agent}`,
  agentGone: 'an agent that is gone',
  key: 'Name',
  content: 'What is remembered',
  purpose: 'What for',
  keptSince: (date: string) => `Since ${date}`,
  until: (date: string) => `Until ${date}`,
  sessionOnly: 'this session only',
  claim: 'Purpose and words are the agent’s own; they are not checked.',
  limits: {
    asked: 'because the agent wants it no longer',
    manifest: 'because the skill allows no longer',
    grant: 'because you allowed no longer',
    grant_expiry: 'because your consent ends then',
    platform: 'because your platform keeps nothing longer',
    session: 'because it ends with the session',
  } satisfies Record<LimitedBy, string>,
  forget: 'Forget',
  forgetAll: 'Forget all of it',
  forgetAllText: 'Everything on all pages of this list is destroyed. This cannot be undone.',
  forgotten: 'Forgotten: nobody can read it any more.',
  held: 'Nobody can read it any more. A legal hold keeps it sealed until the hold is lifted; then it is destroyed.',
  gone: 'It was gone already.',
  older: 'Older',
  newest: 'Newest',
}
export type MemoryTexts = typeof MEMORY_EN
