import { problemKinds } from './problem-kind.ts'

/** Why something is not remembered. */
export const MEMORY_PROBLEMS = problemKinds({
  memory_class_unknown: {
    status: 422,
    title: 'The skill has no such memory class',
    detail: 'Its manifest lists the classes under `memory`; GET /v1/skills/{id} shows it.',
  },
  category_not_in_class: {
    status: 422,
    title: 'The memory class does not hold this data category',
    detail: 'Name one of the categories of the class. It may be left out only where the class has one.',
  },
  origin_unknown: {
    status: 422,
    title: 'There is no such action of yours',
    detail: 'originActionId names an action this agent asked for itself, at this skill.',
  },
  class_not_kept: {
    status: 403,
    title: 'Nothing of this class may be kept',
    detail:
      'Manifest, grant or platform give it no time. The user may allow it: ask for consent with retentionDays.',
  },
  expiry_invalid: {
    status: 422,
    title: 'The expiry is no time',
    detail: 'expiresAtMs is a whole number of Unix milliseconds. Left out, it is as late as is allowed.',
  },
  item_too_large: {
    status: 413,
    title: 'The content is too large to be remembered',
    detail: 'The platform limits the bytes of one item. Remember less, or several items.',
  },
  memory_full: {
    status: 403,
    title: 'No more can be remembered about this user',
    detail: 'Items or bytes of this user are used up. Forget something first.',
  },
  grant_memory_full: {
    status: 403,
    title: 'No more can be remembered under this grant',
    detail: 'One grant may use half of what there is for the user. Forget something first.',
  },
})
