import { problemKinds } from './problem-kind.ts'

/** What can be wrong with a request before anybody decides anything. */
export const REQUEST_PROBLEMS = problemKinds({
  malformed_json: { status: 400, title: 'The body is not JSON', detail: 'Send one JSON value in UTF-8.' },
  duplicate_key: {
    status: 400,
    title: 'The body names a member twice',
    detail: 'Two readers could understand it differently. Send each member once.',
  },
  lone_surrogate: {
    status: 400,
    title: 'The body holds half a character',
    detail: 'Send text that is well-formed Unicode.',
  },
  too_deep: { status: 400, title: 'The body is nested too deeply', detail: 'Nest no more than 32 levels.' },
  number_not_exact: {
    status: 400,
    title: 'A number cannot be kept exactly',
    detail: 'Send numbers that an IEEE 754 double prints back as they were; amounts are integer minor units.',
  },
  body_too_large: { status: 413, title: 'The body is too large', detail: 'Send fewer bytes.' },
  body_incomplete: { status: 400, title: 'The body ended early', detail: 'Send the request again.' },
  unsupported_media_type: {
    status: 415,
    title: 'The body is not declared as JSON',
    detail: 'Send Content-Type: application/json, without a content encoding.',
  },
  invalid_request: {
    status: 422,
    title: 'The request does not have the form described',
    detail: 'Each fault names the place and what is wrong there. /openapi.json describes every request.',
  },
  invalid_arguments: {
    status: 422,
    title: 'The arguments do not fit the action',
    detail: "The skill's manifest describes what each action takes. Each fault names the place.",
  },
  invalid_parameter: {
    status: 400,
    title: 'A parameter is not understood',
    detail: 'Each fault names the parameter. /openapi.json describes them.',
  },
  invalid_cursor: {
    status: 400,
    title: 'The cursor is none of ours',
    detail: 'Use the nextCursor of the page before as it is, or leave it out to start again.',
  },
  invalid_header: { status: 400, title: 'A header is not understood', detail: 'Send it as described.' },
  idempotency_key_required: {
    status: 400,
    title: 'An Idempotency-Key is required',
    detail:
      'Send a header Idempotency-Key of 8 to 200 printable ASCII characters without spaces, a new one for each action.',
  },
  idempotency_key_invalid: {
    status: 400,
    title: 'The Idempotency-Key does not have the form wanted',
    detail: 'It has 8 to 200 printable ASCII characters and no space; a random UUID is one.',
  },
  idempotency_conflict: {
    status: 422,
    title: 'The Idempotency-Key was used for another request',
    detail: 'Use a new key for a different action, or send the same request as before.',
  },
  idempotency_in_flight: {
    status: 409,
    title: 'A request with this Idempotency-Key is being carried out',
    detail: 'Wait as long as Retry-After says, then send the same request again.',
  },
  host_not_allowed: {
    status: 421,
    title: 'This host is not served here',
    detail: 'The operator of the broker configures the Host values it answers.',
  },
  origin_not_allowed: {
    status: 403,
    title: 'Pages of this origin may not call the broker',
    detail: 'Call from a program, or from a page of the broker itself.',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    detail: 'Wait as long as Retry-After says.',
  },
  not_found: {
    status: 404,
    title: 'There is nothing here',
    detail: 'Nothing of that name exists, or it is not yours.',
  },
  method_not_allowed: {
    status: 405,
    title: 'This address does not take that method',
    detail: 'The Allow header lists what it takes.',
  },
  stopping: { status: 503, title: 'The broker is stopping', detail: 'Send the request again in a moment.' },
  log_behind: {
    status: 503,
    title: 'The log is behind',
    detail:
      'Nothing is decided that the log could not show in time. Send the request again with the same key.',
  },
  store_unavailable: {
    status: 503,
    title: 'Nothing can be stored now',
    detail:
      'Send the request again in a moment, with the same key: it is done once, whatever became of this one.',
  },
  not_confirmed: {
    status: 503,
    title: 'It is stored, and not known to be in force everywhere',
    detail: 'Something that began before it had not ended. Send the request again: it waits again.',
  },
  not_ready: { status: 503, title: 'The broker is not ready', detail: 'The failed checks are listed.' },
  internal: {
    status: 500,
    title: 'Something went wrong on our side',
    detail: 'The request id helps the operators to find out what.',
  },

  // Who calls.
  token_required: {
    status: 401,
    title: 'An access token is required',
    detail: 'Send Authorization: Bearer with an access token of the broker.',
  },
  token_invalid: {
    status: 401,
    title: 'The access token is not valid',
    detail: 'It may have expired, be meant for another broker, or not be signed by this one. Get a new one.',
  },
  proof_invalid: {
    status: 401,
    title: 'The proof of possession is missing or not valid',
    detail: 'Send Authorization: DPoP and a fresh DPoP header (RFC 9449) for exactly this request.',
  },
  wrong_caller: {
    status: 403,
    title: 'This kind of caller may not do this',
    detail:
      'Users, agents and operators never stand in for one another. The member callers lists whose own credential this takes.',
  },
  cross_site: {
    status: 403,
    title: 'This was not sent by a page of the broker',
    detail:
      'A session cookie is taken from our own pages only, with the header countersign-csrf for a change.',
  },
  step_up_required: {
    status: 403,
    title: 'This takes a passkey used a short while ago',
    detail: 'Open /step-up, use a passkey, and send the request again within 5 minutes.',
  },
  scope_required: {
    status: 403,
    title: 'The token lacks the scope this needs',
    detail: 'Ask the operators for a token with the scope log:read.',
  },
})
