export interface RunningDemo {
  readonly url: string
  /** Good once: makes whoever opens it an account with a passkey of their own. */
  readonly invitation: string
}

/** What a reader opens and types to use the running broker too. */
export function tryItLines({ url, invitation }: RunningDemo): string[] {
  return [
    'An account of your own, with a passkey of this computer:',
    `  ${invitation}`,
    'Then the API from another terminal, once you have said yes on its page:',
    `  npm run -s countersign -- login --broker ${url}`,
    'And an agent that speaks MCP:',
    `  ${url}/mcp`,
  ]
}
