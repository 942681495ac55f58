/**
 * What tokens are asked for (RFC 8707): the whole API by its issuer, or the MCP endpoint alone. Clients spell an
 * origin with or without a slash at its end.
 */
export function isOurResource(issuer: string, resource: string): boolean {
  return [issuer, `${issuer}/`, `${issuer}/mcp`, `${issuer}/mcp/`].includes(resource)
}
