import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { decodeBase64 } from '../core/merkle/strict-text.ts'
import type { CheckpointRegister, RegisterEntry } from '../ports/checkpoint-register.ts'

const fileShape = z.strictObject({
  origin: z.string().min(1),
  treeSize: z.int().min(0),
  rootHash: z.string(),
})

/** A register that is there and cannot be read; the message says what to do. */
export class RegisterFileBroken extends Error {
  override name = 'RegisterFileBroken'
}

/** Keeps the checkpoint register in a file of its own, one line of JSON, replaced as a whole. */
export function openCheckpointRegisterFile(file: string): CheckpointRegister {
  // One process owns the data folder, and these calls never wait: read and write are one step.
  return {
    async read() {
      return readEntry(file)
    },
    async advance(from, to) {
      if (!isSameEntry(readEntry(file), from)) return false
      if (from && (to.origin !== from.origin || to.treeSize <= from.treeSize))
        throw new RangeError('a register only grows, for one log')
      writeEntry(file, to)
      return true
    },
  }
}

function registerLine({ origin, treeSize, rootHash }: RegisterEntry): string {
  return `${JSON.stringify({ origin, treeSize, rootHash: rootHash.toString('base64') })}\n`
}

function readEntry(file: string): RegisterEntry | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  try {
    const { origin, treeSize, rootHash } = fileShape.parse(JSON.parse(text))
    const bytes = decodeBase64(rootHash)
    if (bytes?.length !== 32) throw new TypeError('not a root hash')
    return { origin, treeSize, rootHash: bytes }
  } catch (cause) {
    throw new RegisterFileBroken(`${file} is not a checkpoint register: restore it from its newest copy`, {
      cause,
    })
  }
}

function isSameEntry(a: RegisterEntry | undefined, b: RegisterEntry | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.origin === b.origin && a.treeSize === b.treeSize && a.rootHash.equals(b.rootHash)
}

/** Writes beside, syncs, renames, syncs the folder: a crash leaves the old line or the new one, whole. */
function writeEntry(file: string, entry: RegisterEntry): void {
  const beside = `${file}.new`
  rmSync(beside, { force: true })
  const handle = openSync(beside, 'wx', 0o600)
  try {
    writeFileSync(handle, registerLine(entry))
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  renameSync(beside, file)
  if (process.platform === 'win32') return
  const folder = openSync(dirname(file), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
