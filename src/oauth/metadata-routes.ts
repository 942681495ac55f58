import { z } from 'zod'
import { type Route, route } from '../http/route.ts'
import { SIGNING_ALGORITHMS } from './algorithms.ts'
import { GRANT_TYPES } from './client-rules.ts'
import { CONSENT_DETAIL_TYPE, consentDetailSchema } from './consent-detail.ts'
import { OAUTH_PATHS } from './oauth-paths.ts'
import { BASE_SCOPE, OFFERED_SCOPES } from './scopes.ts'

const anyObject = z.looseObject({})
const DETAIL_TYPES_PATH = '/oauth/authorization-details-types'

/** What clients discover of us: RFC 8414, RFC 9728, and the one type of authorization details with its JSON Schema. */
export function oauthMetadataRoutes(issuer: string): Route[] {
  const protectedResource = (resource: string) => ({
    resource,
    authorization_servers: [issuer],
    // The least: some clients ask for whatever is listed here, and authority never rides on a scope.
    scopes_supported: [BASE_SCOPE],
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: SIGNING_ALGORITHMS,
    authorization_details_types_supported: [CONSENT_DETAIL_TYPE],
    resource_name: 'Countersign',
    resource_documentation: `${issuer}/docs`,
  })
  const document = (path: string, summary: string, body: object) =>
    route({
      method: 'get',
      path,
      callers: [],
      tag: 'Service',
      summary,
      responses: { 200: { description: 'The document.', shape: anyObject } },
      problems: [],
      handle: () => ({ status: 200, body }),
    })
  return [
    document(
      '/.well-known/oauth-authorization-server',
      'Metadata of the authorization server (RFC 8414)',
      authorizationServer(issuer),
    ),
    document(
      '/.well-known/oauth-protected-resource',
      'Metadata of the API as a protected resource (RFC 9728)',
      protectedResource(issuer),
    ),
    document(
      '/.well-known/oauth-protected-resource/mcp',
      'Metadata of the MCP endpoint as a protected resource (RFC 9728)',
      protectedResource(`${issuer}/mcp`),
    ),
    document(
      DETAIL_TYPES_PATH,
      'The type of authorization_details (RFC 9396) that is a consent request, as JSON Schema',
      {
        [CONSENT_DETAIL_TYPE]: {
          description:
            'A consent request, as POST /v1/consent-requests takes it. The user narrows or refuses it on a page; granted details name grantId and terms and are no authority.',
          schema: consentDetailSchema() as object,
        },
      },
    ),
  ]
}

function authorizationServer(issuer: string): object {
  const at = (path: string) => `${issuer}${path}`
  return {
    issuer,
    authorization_endpoint: at(OAUTH_PATHS.authorization),
    token_endpoint: at(OAUTH_PATHS.token),
    pushed_authorization_request_endpoint: at(OAUTH_PATHS.pushed_authorization_request),
    registration_endpoint: at(OAUTH_PATHS.registration),
    revocation_endpoint: at(OAUTH_PATHS.revocation),
    device_authorization_endpoint: at(OAUTH_PATHS.device_authorization),
    jwks_uri: at('/.well-known/jwks.json'),
    // Token Status List section 9: where all lists are named.
    status_list_aggregation_endpoint: at('/status-lists'),
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: GRANT_TYPES,
    scopes_supported: OFFERED_SCOPES,
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: SIGNING_ALGORITHMS,
    revocation_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
    revocation_endpoint_auth_signing_alg_values_supported: SIGNING_ALGORITHMS,
    dpop_signing_alg_values_supported: SIGNING_ALGORITHMS,
    authorization_details_types_supported: [CONSENT_DETAIL_TYPE],
    authorization_details_types_metadata_endpoint: at(DETAIL_TYPES_PATH),
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
    require_pushed_authorization_requests: false,
    protected_resources: [issuer, at('/mcp')],
    service_documentation: at('/docs'),
    ui_locales_supported: ['en', 'zh-CN'],
  }
}
