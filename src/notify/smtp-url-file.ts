import { lstatSync, readFileSync } from 'node:fs'

/** The file of the mail server's URL must not be used as it is; the message says what to do. */
export class SmtpUrlFileBroken extends Error {
  override name = 'SmtpUrlFileBroken'
}

/**
 * Reads the mail server's URL from a file of its own, because a password stands in it.
 *
 * @throws SmtpUrlFileBroken when the file is missing, open to other users, or holds more than a line.
 */
export function readSmtpUrl(path: string): string {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (!found?.isFile())
    throw new SmtpUrlFileBroken(`${path} must be a regular file with the URL of a mail server`)
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0)
    throw new SmtpUrlFileBroken(`${path} is open to other users: run chmod 600 ${path}`)
  const text = readFileSync(path, 'utf8').trim()
  if (!/^smtps?:\/\/[\x21-\x7e]+$/.test(text) || !URL.canParse(text))
    throw new SmtpUrlFileBroken(`${path} must hold one URL such as smtps://user:password@mail.example`)
  return text
}
