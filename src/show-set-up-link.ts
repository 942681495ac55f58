import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeSecretFile } from './keys/write-secret-file.ts'

const FILE = 'set-up-link.txt'

/**
 * Shows the link that creates the first operator: on a terminal, or in a file for its owner alone where the output
 * goes to a log that others read. Once there is an operator the file is taken away.
 *
 * @returns the line to print; undefined where there is nothing to say.
 */
export function showSetUpLink(
  link: string | undefined,
  { folder, isTerminal }: { folder: string; isTerminal: boolean },
): string | undefined {
  const file = join(folder, FILE)
  if (link === undefined || isTerminal) rmSync(file, { force: true })
  if (link === undefined) return undefined
  if (isTerminal) {
    return `There is no operator yet. Open this link within an hour to become the first one; it works once:\n  ${link}`
  }
  writeSecretFile(file, `${link}\n`)
  return `There is no operator yet. The link that creates the first one is in ${file}, for an hour.`
}
