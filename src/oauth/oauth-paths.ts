/** Where the endpoints are; `code_verification` is a page of ours. */
export const OAUTH_PATHS = {
  authorization: '/oauth/authorize',
  token: '/oauth/token',
  pushed_authorization_request: '/oauth/par',
  registration: '/oauth/register',
  revocation: '/oauth/revoke',
  device_authorization: '/oauth/device_authorization',
  code_verification: '/device',
} as const

/** Back to the library when a person has answered. */
const RESUME = /^\/oauth\/authorize\/[A-Za-z0-9_-]{16,64}$/

/**
 * Whether the library answers this request. Whatever else it could do is never asked of it.
 */
export function isOauthRequest(method: string, path: string): boolean {
  switch (path) {
    case OAUTH_PATHS.authorization:
      return method === 'GET'
    case OAUTH_PATHS.token:
    case OAUTH_PATHS.pushed_authorization_request:
    case OAUTH_PATHS.registration:
    case OAUTH_PATHS.revocation:
    case OAUTH_PATHS.device_authorization:
      return method === 'POST'
    default:
      return method === 'GET' && RESUME.test(path)
  }
}
