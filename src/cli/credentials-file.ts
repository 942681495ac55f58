import { lstatSync, mkdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { writeSecretFile } from '../keys/write-secret-file.ts'
import { readText } from './read-input.ts'
import { CannotRun } from './terminal.ts'

export type Env = Readonly<Record<string, string | undefined>>
export type CredentialKind = 'user' | 'operator'

const credentialShape = z.object({ token: z.string(), id: z.string(), expiresAtMs: z.number() })
const fileShape = z.record(
  z.string(),
  z.object({ user: credentialShape.optional(), operator: credentialShape.optional() }),
)

type Credential = z.infer<typeof credentialShape>
type Credentials = z.infer<typeof fileShape>

/** Where `countersign login` keeps what it was given: a file for its owner alone. */
export function credentialsFile(env: Env): string {
  const folder = env.XDG_CONFIG_HOME ?? join(env.HOME ?? homedir(), '.config')
  return join(folder, 'countersign', 'credentials.json')
}

/** Keeps a credential for exactly this broker, in place of the one before. Returns the file. */
export function saveCredential(
  env: Env,
  origin: string,
  kind: CredentialKind,
  credential: Credential,
): string {
  const file = credentialsFile(env)
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const all = readCredentials(file)
  const changed = { ...all, [origin]: { ...all[origin], [kind]: credential } }
  writeSecretFile(file, `${JSON.stringify(changed, null, 2)}\n`)
  return file
}

/**
 * The token for a broker: of the file that was named, or what `countersign login` stored for exactly that origin.
 * Undefined where there is none, or none that is still good.
 *
 * @throws CannotRun for a file that is there but cannot be read, or that others can read.
 */
export function tokenFor(
  env: Env,
  url: string,
  kind: CredentialKind,
  tokenFile: string | undefined,
): string | undefined {
  // A token on the command line would stand in every process list.
  if (tokenFile !== undefined) return readText(tokenFile).trim()
  if (!URL.canParse(url)) return undefined
  const credential = readCredentials(credentialsFile(env))[new URL(url).origin]?.[kind]
  return credential && Date.now() < credential.expiresAtMs ? credential.token : undefined
}

function readCredentials(file: string): Credentials {
  const found = lstatSync(file, { throwIfNoEntry: false })
  if (!found) return {}
  if (!found.isFile()) throw new CannotRun(`${file} must be a regular file, not a link`)
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) {
    throw new CannotRun(`${file} is open to other users: run chmod 600 ${file}`)
  }
  try {
    return fileShape.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    throw new CannotRun(`${file} is broken: remove it and run countersign login again`, { cause })
  }
}
