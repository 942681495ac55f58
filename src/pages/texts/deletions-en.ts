/** Words of the page of what skills were told to delete. */
export const DELETIONS_EN = {
  title: 'What skills were told to delete',
  intro:
    'A skill is told when the time it may keep something has passed, when you revoke, and when you erase. Only an answer under its own signature counts.',
  claim: 'That it really deleted is what the skill says. Countersign cannot look inside it.',
  emptyTitle: 'No skill was told anything yet',
  emptyText: 'It happens by itself when a time you gave has passed, or when you take something back.',
  reason_expired: 'The time it may keep this has passed.',
  reason_revoked: 'You took back what you had allowed.',
  reason_erased: 'You had your data erased.',
  state_open: 'Not answered yet',
  state_refused: 'Refused',
  state_deleted: 'Deleted',
  state_kept: 'Partly kept',
  state_settled: 'Settled by operators',
  state_given_up: 'Never answered',
  state_no_address: 'Cannot be told',
  overdue: 'Overdue',
  suspended:
    'Until it has deleted this, or the platform’s operators have settled it, this skill does nothing new for you.',
  noAddress:
    'Its publisher names nowhere to send such a notice to. That it deletes anything is only its promise.',
  all: 'Everything it keeps of you',
  classes: (names: string) => `What it keeps as ${names}`,
  executions: (count: string) => `of ${count} actions`,
  saidWhy: 'It says:',
  asked: (time: string) => `Asked ${time}`,
  sent: (time: string, count: string) => `first sent ${time}, ${count}×`,
  due: (time: string) => `it promised to be done by ${time}`,
  answered: (time: string) => `answered ${time}`,
  receipt: 'Receipt',
  receiptText:
    'Signed, with the proof that it is in the log, and with the skill’s own signature where it gave one.',
  receiptNotYet: 'It is being written into the log. Try again in a second.',
  older: 'Older',
  newest: 'Newest',
  link: 'What skills were told to delete',
}

export type DeletionTexts = typeof DELETIONS_EN
