import { problemKinds } from './problem-kind.ts'

/** Why a deletion notice cannot be settled. */
export const NOTICE_PROBLEMS = problemKinds({
  notice_ended: {
    status: 409,
    title: 'This notice does not wait for anybody',
    detail: 'Its skill has acknowledged it or still has time, or it was settled before.',
  },
})
