import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { z } from 'zod'

/** The one tool that is called through everything: it has next to nothing to do. */
export const NOTE_TOOL = 'read_note'
export const NOTE_ARGUMENTS = { id: 'note-1' } as const

/** A server as small as one can be with the protocol's own SDK. */
export function noteServer(): McpServer {
  const server = new McpServer({ name: 'notes', version: '1' })
  server.registerTool(
    NOTE_TOOL,
    {
      description: 'Reads one note',
      inputSchema: { id: z.string().max(64) },
      annotations: { readOnlyHint: true },
    },
    ({ id }) => ({
      content: [{ type: 'text', text: `The note ${id} says: buy milk, call Ada, water the plants.` }],
    }),
  )
  return server
}
