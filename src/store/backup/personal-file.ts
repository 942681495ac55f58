import { createCipheriv, createDecipheriv, createHash, hkdfSync, type KeyObject } from 'node:crypto'
import { closeSync, createReadStream, fsyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { BackupDamaged } from './manifest.ts'

const CHUNK_BYTES = 64 * 1024
const TAG_BYTES = 16
const LENGTH_BYTES = 4

/** The file of what is personal in one table of a backup. */
export function personalFile(folder: string, table: string): string {
  return join(folder, `${table}.personal`)
}

/**
 * The key of one table's personal file: derived from the epoch's key and the backup's salt, so that it is used for this
 * file alone. RFC 5869.
 */
function keyOf(epochKey: KeyObject, salt: Buffer, table: string): Buffer {
  return Buffer.from(hkdfSync('sha256', epochKey, salt, `countersign/v1/backup\n${table}`, 32))
}

/** Each chunk has a number, and the last one says that it is: none can be moved, left out or cut off unseen. */
function nonceOf(index: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeBigUInt64BE(BigInt(index), 0)
  nonce[11] = isLast ? 1 : 0
  return nonce
}

export type PersonalWriter = {
  write(line: string): void
  /** Ends the file, durably. */
  end(): { readonly bytes: number; readonly sha256: string }
}

/** Opens a file of lines that are encrypted in authenticated chunks, AES-256-GCM, as they come. */
export function openPersonalWriter(
  file: string,
  epochKey: KeyObject,
  salt: Buffer,
  table: string,
): PersonalWriter {
  const key = keyOf(epochKey, salt, table)
  const handle = openSync(file, 'wx', 0o600)
  const digest = createHash('sha256')
  let [waiting, waitingBytes, index, bytes]: [Buffer[], number, number, number] = [[], 0, 0, 0]

  function put(plain: Buffer, isLast: boolean): void {
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(index, isLast))
    const sealed = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
    const record = Buffer.alloc(LENGTH_BYTES + sealed.length)
    record.writeUInt32BE(sealed.length)
    record.set(sealed, LENGTH_BYTES)
    writeSync(handle, record)
    digest.update(record)
    bytes += record.length
    index += 1
  }

  return {
    write(line) {
      const more = Buffer.from(line)
      waiting.push(more)
      waitingBytes += more.length
      if (waitingBytes < CHUNK_BYTES) return
      put(Buffer.concat(waiting), false)
      waiting = []
      waitingBytes = 0
    },
    end() {
      put(Buffer.concat(waiting), true)
      fsyncSync(handle)
      closeSync(handle)
      key.fill(0)
      return { bytes, sha256: digest.digest('base64url') }
    },
  }
}

/** The lines of such a file. @throws BackupDamaged (rejects) if it is not as it was written, to its end. */
export async function* personalLines(
  file: string,
  epochKey: KeyObject,
  salt: Buffer,
  table: string,
): AsyncGenerator<string> {
  const key = keyOf(epochKey, salt, table)
  const damaged = (cause?: unknown) => new BackupDamaged(`${file} is not as it was written`, { cause })
  let [rest, text]: [Buffer, string] = [Buffer.alloc(0), '']
  let [index, isOver] = [0, false]
  try {
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      while (rest.length >= LENGTH_BYTES) {
        const length = rest.readUInt32BE()
        if (isOver || length < TAG_BYTES || length > 4 * 1024 * 1024) throw damaged()
        if (rest.length < LENGTH_BYTES + length) break
        const sealed = rest.subarray(LENGTH_BYTES, LENGTH_BYTES + length)
        rest = rest.subarray(LENGTH_BYTES + length)
        const last = open(key, sealed, index, true)
        const plain = last ?? open(key, sealed, index, false)
        if (!plain) throw damaged()
        isOver = last !== undefined
        index += 1
        text += plain.toString('utf8')
        const lines = text.split('\n')
        text = lines.pop() ?? ''
        yield* lines
      }
    }
  } catch (cause) {
    throw cause instanceof BackupDamaged ? cause : damaged(cause)
  }
  if (!isOver || rest.length > 0 || text !== '') throw damaged()
}

function open(key: Buffer, sealed: Buffer, index: number, isLast: boolean): Buffer | undefined {
  const tagAt = sealed.length - TAG_BYTES
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(index, isLast), { authTagLength: TAG_BYTES })
  decipher.setAuthTag(sealed.subarray(tagAt))
  const plain = decipher.update(sealed.subarray(0, tagAt))
  try {
    decipher.final()
  } catch {
    // A wrong tag is all that `final` can throw for here, and it is an answer, not a defect.
    return undefined
  }
  return plain
}
