/**
 * The audience of tokens for a resource (RFC 8707): the whole API, asked for by the issuer, or the MCP endpoint alone.
 * Clients spell either with or without a slash at its end. Undefined for what is not ours.
 */
export function audienceFor(issuer: string, resource: string): string | undefined {
  if (resource === issuer || resource === `${issuer}/`) return `${issuer}/agent`
  return resource === `${issuer}/mcp` || resource === `${issuer}/mcp/` ? `${issuer}/mcp` : undefined
}
