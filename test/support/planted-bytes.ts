import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** The forms in which words may lie in a file. */
function formsOf(word: string): Buffer[] {
  const plain = Buffer.from(word)
  const forms = [plain, Buffer.from(word, 'utf16le'), Buffer.from(plain.toString('hex'))]
  // Base64 of the word at each of three places, without the characters its neighbours change.
  for (const shift of [0, 1, 2]) {
    const text = Buffer.concat([Buffer.alloc(shift), plain])
      .toString('base64')
      .replace(/=+$/, '')
    const core = text.slice(shift === 0 ? 0 : shift + 1, -2)
    if (core.length >= 8)
      forms.push(Buffer.from(core), Buffer.from(core.replace(/\+/g, '-').replace(/\//g, '_')))
  }
  return forms
}

/** Every file below a folder, with the words that are found in it in any form; none where there are none. */
export function plantedIn(folder: string, words: readonly string[]): string[] {
  const forms = words.flatMap((word) => formsOf(word).map((form) => ({ word, form })))
  return filesIn(folder).flatMap((file) => {
    const bytes = readOrNothing(file)
    const found = new Set(forms.filter(({ form }) => bytes.includes(form)).map(({ word }) => word))
    return [...found].map((word) => `${relative(folder, file)}: ${word}`)
  })
}

/** The files below a folder in which these bytes stand as they are. */
export function filesWith(folder: string, bytes: Buffer): string[] {
  return filesIn(folder)
    .filter((file) => readOrNothing(file).includes(bytes))
    .map((file) => relative(folder, file))
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** A server removes files of its own while they are read. */
function readOrNothing(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch {
    return Buffer.alloc(0)
  }
}
