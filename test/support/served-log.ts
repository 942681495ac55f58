import { openLogReader } from '../../src/broker/read-log.ts'
import { parseVkey } from '../../src/core/merkle/note-key.ts'
import type { LogSource } from '../../src/sdk/log-source.ts'
import type { LogTrust } from '../../src/sdk/verify-log.ts'
import type { TestNode } from './test-nodes.ts'

/** The log as a node serves it, and whom an auditor of it trusts. */
export async function servedLog(
  node: Pick<TestNode, 'broker' | 'publisher'>,
): Promise<[LogSource, LogTrust]> {
  const reader = openLogReader(node.broker, node.publisher)
  const logKey = parseVkey(reader.vkey())
  if (!logKey) throw new Error('the log has no key')
  const bytesOf = async (found: Awaited<ReturnType<typeof reader.tile>>) => {
    if (found.kind === 'not_found') throw new Error('is not served')
    return found.bytes
  }
  const source: LogSource = {
    async checkpoint() {
      const note = reader.checkpoint()
      if (note === undefined) throw new Error('no checkpoint')
      return note
    },
    tile: async (level, index, width) => bytesOf(await reader.tile(level, index, width)),
    entries: async (index, width) => bytesOf(await reader.entries(index, width)),
  }
  return [source, { logKey }]
}
