import { z } from 'zod'

const url = z.string().min(1).max(300)

/**
 * How a skill is reached. Where it has a URL, that is what a publisher signs and a person is shown; a program that the
 * operator starts on the broker's own machine has none, and its command is never the manifest's to say.
 */
export const endpointShape = z.discriminatedUnion('transport', [
  /** Each action is a POST to its path below this URL. */
  z.strictObject({ transport: z.literal('http'), baseUrl: z.string().max(300) }),
  /** An MCP server over Streamable HTTP; each action is one of its tools. */
  z.strictObject({ transport: z.literal('mcp'), url }),
  /** An MCP server that the operator starts beside the broker and talks to over its standard streams. */
  z.strictObject({ transport: z.literal('mcp-stdio') }),
  /**
   * Nothing is called: a guard on the user's own computer asks whether a program there may do what it is about to do by
   * itself. What came of it is never told.
   */
  z.strictObject({ transport: z.literal('guard') }),
])
export type ManifestEndpoint = z.infer<typeof endpointShape>

/** Whether the actions of a skill are tools of an MCP server. */
export function isMcp(endpoint: ManifestEndpoint): boolean {
  return endpoint.transport === 'mcp' || endpoint.transport === 'mcp-stdio'
}

/** Whether permits of a skill are handed to a guard that enforces them, and the broker itself calls nobody. */
export function isGuarded(endpoint: ManifestEndpoint): boolean {
  return endpoint.transport === 'guard'
}

/** The URL of a skill as its manifest spells it; null where it has none. */
export function urlOf(endpoint: ManifestEndpoint): string | null {
  switch (endpoint.transport) {
    case 'http':
      return endpoint.baseUrl
    case 'mcp':
      return endpoint.url
    case 'mcp-stdio':
    case 'guard':
      return null
  }
}

/** Scheme, host and port of a skill, for what is compared with other origins; null where it has none. */
export function originOf(endpoint: ManifestEndpoint): string | null {
  const place = urlOf(endpoint)
  return place !== null && URL.canParse(place) ? new URL(place).origin : null
}

/** Where a skill is, in the words a person is shown: its host, or how else it is reached. */
export function hostOf(endpoint: ManifestEndpoint): string {
  // The user's own computer, whichever that is.
  if (isGuarded(endpoint)) return 'localhost'
  const place = urlOf(endpoint)
  if (place === null) return endpoint.transport
  return URL.canParse(place) ? new URL(place).host : place
}
