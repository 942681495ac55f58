import type { Manifest, ManifestAction } from '../../src/core/manifest/manifest.ts'
import { toolDigest } from '../../src/core/manifest/tool-definition.ts'

/** A manifest as if its skill were an MCP server at this URL, each action one tool of the same name. */
export function asMcpSkill(manifest: Manifest, url: string): Manifest {
  return {
    ...manifest,
    endpoint: { transport: 'mcp', url },
    actions: manifest.actions.map(({ path: _, poll: __, refusal, ...rest }): ManifestAction => {
      const tool = { name: rest.name, digest: toolDigest(toolOf(rest.name)), answers: 'structured' } as const
      return { ...rest, ...(refusal ? { refusal: { codePointer: refusal.codePointer } } : {}), tool }
    }),
  }
}

/** The definitions such a server lists. */
export function toolsOf(manifest: Manifest): { readonly name: string; readonly [member: string]: unknown }[] {
  return manifest.actions.map(({ name }) => toolOf(name))
}

function toolOf(name: string) {
  return { name, description: `does ${name}`, inputSchema: { type: 'object' } } as const
}
