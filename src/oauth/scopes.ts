/** What every connection is given, asked for or not: to say who it is. It is no authority. */
export const BASE_SCOPE = 'agent'
/** All an authorization request may ask for; authority is asked for by consent requests, never by scopes. */
export const OFFERED_SCOPES = [BASE_SCOPE, 'log:read'] as const
