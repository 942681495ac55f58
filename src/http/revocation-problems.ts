import { problemKinds } from './problem-kind.ts'

/** Why an address of an agent's, or an undo, does not go. */
export const REVOCATION_PROBLEMS = problemKinds({
  callback_refused: {
    status: 422,
    title: 'Events cannot be sent to this address',
    detail: 'It has to be a public https address.',
  },
  already_undone: {
    status: 409,
    title: 'This was undone before',
    detail: 'An action is undone once.',
  },
  undo_under_way: {
    status: 409,
    title: 'Undoing this was asked for already',
    detail: 'Its skill has not answered yet. Look at it again in a minute.',
  },
  too_much_to_undo: {
    status: 422,
    title: 'There is more to undo than one job takes',
    detail: 'Narrow the time, the skill, the user or the action.',
  },
  nothing_to_undo: {
    status: 422,
    title: 'There is nothing to undo',
    detail: 'No action in this time was done, can be undone, and still is within its window.',
  },
  undo_job_ended: {
    status: 409,
    title: 'This job has ended',
    detail: 'status says how.',
  },
})
