import { formatCheckpoint } from '../../src/core/merkle/checkpoint.ts'
import { formatNote, signNote } from '../../src/core/merkle/note.ts'
import { encodeEntryBundle, tilePath } from '../../src/core/merkle/tile.ts'
import { hashLeaf, rootOf } from '../../src/core/merkle/tree.ts'
import type { LogSource } from '../../src/sdk/log-source.ts'
import { signerFromSeed, type TestSigner } from './ed25519-seed.ts'
import { storeTree } from './stored-tree.ts'

export const TEST_LOG = signerFromSeed('broker.example/log/test', Buffer.alloc(32, 7))

/** A log served from memory. `replace` swaps single resources, by path; `reads` lists what was asked for. */
export interface MemoryLog extends LogSource {
  readonly note: string
  readonly reads: string[]
  readonly replaced: Map<string, Buffer | Error>
}

/** Serves these entries, under a checkpoint signed over exactly them. */
export function memoryLog(entries: readonly Buffer[], signer: TestSigner = TEST_LOG): MemoryLog {
  const tree = storeTree(entries.map((entry) => hashLeaf(entry)))
  const body = formatCheckpoint({
    origin: signer.key.name,
    treeSize: entries.length,
    rootHash: rootOf(tree.edge),
  })
  const note = formatNote(body, [signNote(body, signer.key, signer.sign)])
  const reads: string[] = []
  const replaced = new Map<string, Buffer | Error>()
  const serve = async (path: string, make: () => Buffer) => {
    reads.push(path)
    const other = replaced.get(path)
    if (other instanceof Error) throw other
    return other ?? make()
  }
  return {
    note,
    reads,
    replaced,
    checkpoint: async () => (await serve('checkpoint', () => Buffer.from(note))).toString(),
    tile: (level, index, width) =>
      serve(tilePath({ level, index, width }), () => tree.readRow(level, index * 256, width)),
    entries: (index, width) =>
      serve(tilePath({ level: 'entries', index, width }), () =>
        encodeEntryBundle(entries.slice(index * 256, index * 256 + width)),
      ),
  }
}
