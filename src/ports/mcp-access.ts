/** How the broker is let in at an MCP server, or how the operator starts one; from configuration, never a manifest. */
export type McpAccess =
  | { readonly kind: 'open' }
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'header'; readonly name: string; readonly value: string }
  /** OAuth 2.1 client credentials at an endpoint the operator names: none is discovered. */
  | {
      readonly kind: 'client_credentials'
      readonly tokenEndpoint: string
      readonly clientId: string
      readonly clientSecret: string
      readonly scope: string | null
    }
  | {
      readonly kind: 'command'
      readonly command: string
      readonly args: readonly string[]
      readonly env: Readonly<Record<string, string>>
    }

export interface McpAccesses {
  /** Undefined where nothing is configured for the skill. */
  find(skillId: string): McpAccess | undefined
}
