import { problemKinds } from './problem-kind.ts'

/** Why what an enforcement point wants, or an operator wants of one, does not go. */
export const ENFORCEMENT_PROBLEMS = problemKinds({
  users_not_listed: {
    status: 403,
    title: 'This enforcement point may not list users',
    detail: 'The operators decide that when they register one. Ask about the user you have before you.',
  },
  reservation_settled: {
    status: 409,
    title: 'This was settled before, and otherwise',
    detail: 'A reservation is settled once. GET it to see how.',
  },
  reservation_overdue: {
    status: 409,
    title: 'The time to report is over',
    detail: 'It is in doubt and keeps counting. Tell the operators what became of it: they settle it.',
  },
  reservation_spends_nothing: {
    status: 422,
    title: 'Nothing was to be spent here',
    detail: 'Commit without an amount. If something was taken all the same, tell the operators.',
  },
  enforcement_target_unknown: {
    status: 422,
    title: 'There is nothing of that name to enforce for',
    detail: 'Name skills or a publisher that are registered.',
  },
})
