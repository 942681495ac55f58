import { problemKinds } from './problem-kind.ts'

/** Why what a publisher or an operator wants does not go. */
export const REGISTRY_PROBLEMS = problemKinds({
  reason_refused: {
    status: 422,
    title: 'A reason is required',
    detail: 'Every write of an operator says why, in 5 to 500 characters.',
  },
  signature_refused: {
    status: 403,
    title: 'The signature does not hold',
    detail: 'Sign with a living key of the publisher.',
  },
  publisher_unknown: {
    status: 403,
    title: 'No such publisher',
    detail: 'The operators register publishers with their first key.',
  },
  publisher_id_refused: {
    status: 422,
    title: 'This is no name for a publisher',
    detail: 'A publisher is named by its domain.',
  },
  already_registered: {
    status: 409,
    title: 'The publisher is registered already',
    detail: 'Add further keys to it.',
  },
  key_refused: {
    status: 422,
    title: 'The key cannot be used',
    detail: 'Send a public Ed25519 or P-256 key as a JWK.',
  },
  key_was_revoked: {
    status: 409,
    title: 'The key was revoked',
    detail: 'A revoked key never comes back. Generate another one.',
  },
  key_already_living: {
    status: 409,
    title: 'The key is there already',
    detail: 'Nothing needs to be done.',
  },
  key_unknown: {
    status: 404,
    title: 'There is no such key',
    detail: 'The kid is the thumbprint of the key.',
  },
  key_already_revoked: {
    status: 409,
    title: 'The key is revoked already',
    detail: 'Nothing needs to be done.',
  },
  key_is_current: {
    status: 409,
    title: 'This key still signs',
    detail: 'Rotate before retiring it.',
  },
  introducer_unknown: {
    status: 403,
    title: 'The signing key is unknown',
    detail: 'Sign with a living key of the publisher.',
  },
  introducer_revoked: {
    status: 403,
    title: 'The signing key was revoked',
    detail: 'Sign with a living key of the publisher.',
  },
  too_many_keys: {
    status: 409,
    title: 'The publisher has too many keys',
    detail: 'Revoke one that is not used.',
  },
  manifest_faults: {
    status: 422,
    title: 'The manifest is refused',
    detail: 'reasons says what is wrong, where, and how to mend it.',
  },
  skill_of_other_publisher: {
    status: 403,
    title: 'The name belongs to another publisher',
    detail: 'A skill belongs for ever to the publisher who first had it approved.',
  },
  version_has_other_digest: {
    status: 409,
    title: 'This version was submitted with another content',
    detail: 'One version has one content. Raise the version.',
  },
  version_not_above: {
    status: 409,
    title: 'Versions only rise',
    detail: 'Submit a version above the highest one.',
  },
  too_many_waiting: {
    status: 409,
    title: 'Too many versions wait for the operators',
    detail: 'Wait until they have decided.',
  },
  tool_name_taken: {
    status: 409,
    title: 'The name of a tool is taken',
    detail: 'Two actions of approved skills may not have one tool name.',
  },
  wrong_status: {
    status: 409,
    title: 'The version is in no state for this',
    detail: 'manifestStatus says which it is in.',
  },
  already_current: {
    status: 409,
    title: 'This version is current already',
    detail: 'Nothing needs to be done.',
  },
  key_not_living: {
    status: 409,
    title: 'The key that signed it was revoked',
    detail: 'The publisher has to sign a version with a living key.',
  },
  going_back_not_said: {
    status: 409,
    title: 'This is an older version',
    detail: 'Send goingBack: true if that is meant.',
  },
  target_refused: {
    status: 422,
    title: 'This cannot be frozen',
    detail: 'detail says why.',
  },
  not_frozen: {
    status: 404,
    title: 'Nothing of that name is frozen',
    detail: 'GET /v1/operator/freezes lists what is.',
  },
  already_closed: {
    status: 409,
    title: 'The incident is closed already',
    detail: 'Nothing needs to be done.',
  },
  not_in_doubt: {
    status: 409,
    title: 'This action is not in doubt',
    detail: 'Only what is in doubt can be settled, and only once.',
  },
  nothing_forgotten: {
    status: 409,
    title: 'Nothing is forgotten of this user',
    detail: 'The store was never restored, or this was lifted before.',
  },
  clock_is_trusted: {
    status: 409,
    title: 'The clock is trusted',
    detail: 'Nothing needs to be done.',
  },
  receipt_not_yet: {
    status: 409,
    title: 'The log has not been published that far',
    detail: 'Wait as long as Retry-After says.',
  },
  only_counted: {
    status: 404,
    title: 'This refusal was only counted',
    detail: 'An equal refusal a moment before has a leaf; this one added to a count.',
  },
})
