import { z } from 'zod'
import { type Route, route } from '../http/route.ts'

const url = z.string()

/** Metadata of AuthZEN 1.0 section 9: where this decision point answers. Its base URL is the broker's issuer. */
export function discoveryRoute(issuer: string): Route {
  const metadata = {
    policy_decision_point: issuer,
    access_evaluation_endpoint: `${issuer}/access/v1/evaluation`,
    access_evaluations_endpoint: `${issuer}/access/v1/evaluations`,
    search_subject_endpoint: `${issuer}/access/v1/search/subject`,
    search_resource_endpoint: `${issuer}/access/v1/search/resource`,
    search_action_endpoint: `${issuer}/access/v1/search/action`,
  }
  return route({
    method: 'get',
    path: '/.well-known/authzen-configuration',
    callers: [],
    tag: 'Access (AuthZEN)',
    isAuthzen: true,
    summary: 'Where this decision point answers',
    responses: {
      200: {
        description: 'The metadata of the decision point.',
        shape: z.strictObject({
          policy_decision_point: url,
          access_evaluation_endpoint: url,
          access_evaluations_endpoint: url,
          search_subject_endpoint: url,
          search_resource_endpoint: url,
          search_action_endpoint: url,
        }),
      },
    },
    problems: [],
    handle: () => ({ status: 200, body: metadata, headers: { 'cache-control': 'public, max-age=3600' } }),
  })
}
