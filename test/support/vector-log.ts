import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { hashLeaf } from '../../src/core/merkle/tree.ts'

const base64 = z.string().transform((text) => Buffer.from(text, 'base64'))
const signer = { seedHex: z.string(), publicKey: base64, keyIdHex: z.string(), vkey: z.string() }

const VectorFile = z.object({
  origin: z.string(),
  ...signer,
  witness: z.object({ name: z.string(), ...signer }),
  entry0: z.string(),
  leafHash0: z.string(),
  entry299: z.string(),
  leafHash299: z.string(),
  roots: z.record(z.string(), z.string()),
  checkpoints: z.record(z.string(), z.string()),
  inclusion: z.array(z.object({ index: z.number(), size: z.number(), proof: z.array(z.string()) })),
  consistency: z.array(z.object({ from: z.number(), to: z.number(), proof: z.array(z.string()) })),
  tlogProof: z.object({ index: z.number(), size: z.number(), text: z.string() }),
  tilePaths: z.array(
    z.object({
      level: z.union([z.number(), z.literal('entries')]),
      index: z.number(),
      width: z.number(),
      path: z.string(),
    }),
  ),
})

/** The worked vectors of the log: roots, proofs, checkpoints and tile paths that other tools have checked. */
export const VECTORS = VectorFile.parse(
  JSON.parse(readFileSync(new URL('../conformance/log/log-vectors.json', import.meta.url), 'utf8')),
)

/** Entry `i` of the vector log, as its `entry` field describes. */
export function vectorEntry(i: number): Buffer {
  return Buffer.from(JSON.stringify({ v: 1, seq: i, type: i % 2 ? 'decision' : 'action', salt: i * 7 }))
}

/** The leaf hashes of the first `count` entries of the vector log. */
export function vectorLeafHashes(count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => hashLeaf(vectorEntry(i)))
}
