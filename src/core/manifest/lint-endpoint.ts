import { isMcp, urlOf } from './endpoint.ts'
import type { LintedAction, LintSubject } from './lint-subject.ts'
import { errorAt, type ManifestFault } from './manifest-fault.ts'

/** Rules on where a skill is, and on what each action names there: a path, or one tool that no other action names. */
export function lintEndpoint(subject: LintSubject): ManifestFault[] {
  return [...lintPlace(subject), ...subject.actions.flatMap((linted) => lintTarget(subject, linted))]
}

const LOOPBACK_HOSTS = ['127.0.0.1', '[::1]', 'localhost']
/** Names that mean this machine or its network whatever a resolver says (RFC 6761, RFC 6762, RFC 8375). */
const LOCAL_NAMES = /(^|\.)(localhost|local|internal|intranet|localdomain|home\.arpa)\.?$/
/** How the URL parser writes every spelling of an address. */
const ADDRESS = /^\[|^\d+\.\d+\.\d+\.\d+$/

function lintPlace({ manifest: { endpoint }, allowDevelopment }: LintSubject): ManifestFault[] {
  const place = urlOf(endpoint)
  // Without a URL there is nothing to reach but what the operator starts.
  if (place === null) return []
  const at = endpoint.transport === 'mcp' ? '/endpoint/url' : '/endpoint/baseUrl'
  const url = URL.canParse(place) ? new URL(place) : undefined
  // What the parser would mend (case, ports, dots, escapes) must already be mended in what is signed.
  if (!url || (url.href !== place && url.href !== `${place}/`) || url.search || url.hash || url.username)
    return [
      errorAt(
        at,
        'endpoint_not_plain',
        'the base URL is not in its plain normal form',
        'write scheme, host, perhaps port and path; no user, query or fragment',
      ),
    ]
  if (url.protocol === 'https:') {
    if (allowDevelopment || isPublicName(url)) return []
    return [
      errorAt(
        at,
        'endpoint_not_public',
        'the base URL is an address, or a name of this machine or its network',
        'write the public name of the service',
      ),
    ]
  }
  const isLoopback = url.protocol === 'http:' && LOOPBACK_HOSTS.includes(url.hostname)
  if (isLoopback && allowDevelopment) return []
  return [
    errorAt(
      at,
      'endpoint_not_https',
      'the base URL is not https',
      isLoopback
        ? 'use https; http on loopback is for development only, with --allow-development'
        : 'use https',
    ),
  ]
}

/** A publisher proves a domain and nothing else; where a name leads is looked at with every call. */
function isPublicName({ hostname, port }: URL): boolean {
  return hostname.includes('.') && !ADDRESS.test(hostname) && !LOCAL_NAMES.test(hostname) && port !== '0'
}

function lintTarget({ manifest }: LintSubject, { action, at }: LintedAction): ManifestFault[] {
  const { transport } = manifest.endpoint
  if (!isMcp(manifest.endpoint)) {
    return [
      ...(action.tool ? [notFor(`${at}/tool`, 'tool_not_mcp', 'a tool', transport)] : []),
      ...(transport === 'http' ? lintHttpAction(action, at) : []),
    ]
  }
  const { tool } = action
  return [
    ...(action.path !== undefined ? [notFor(`${at}/path`, 'path_not_http', 'a path', transport)] : []),
    ...(action.poll ? [notFor(`${at}/poll`, 'poll_not_http', 'polling', transport)] : []),
    ...(action.refusal?.statuses
      ? [notFor(`${at}/refusal/statuses`, 'statuses_not_http', 'a status', transport)]
      : []),
    ...(tool
      ? []
      : [errorAt(at, 'tool_missing', 'the action names no tool', 'add tool, with name, digest and answers')]),
    ...(tool && manifest.actions.findIndex((other) => other.tool?.name === tool.name) < indexOf(at)
      ? [
          errorAt(
            `${at}/tool/name`,
            'tool_named_twice',
            `another action is the tool ${tool.name} too`,
            'make one action of one tool: two would ask for the same under two names',
          ),
        ]
      : []),
  ]
}

function lintHttpAction(action: LintedAction['action'], at: string): ManifestFault[] {
  return [
    ...(action.path === undefined
      ? [
          errorAt(
            at,
            'path_missing',
            'the action names no path',
            'add path, which is appended to the base URL',
          ),
        ]
      : []),
    ...(action.refusal && action.refusal.statuses === undefined
      ? [
          errorAt(
            `${at}/refusal`,
            'statuses_missing',
            'the refusal names no statuses',
            'name the statuses the skill says no with',
          ),
        ]
      : []),
  ]
}

function notFor(at: string, code: string, what: string, transport: string): ManifestFault {
  return errorAt(at, code, `${what} means nothing with the transport ${transport}`, 'remove it')
}

function indexOf(at: string): number {
  return Number(at.slice(at.lastIndexOf('/') + 1))
}
