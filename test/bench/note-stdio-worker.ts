// The same server over standard streams, for the proxy that knows no other.
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { noteServer } from './note-server.ts'

await noteServer().connect(new StdioServerTransport())
