import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { CheckpointRegister } from '../ports/checkpoint-register.ts'
import { openCheckpointRegisterFile } from './checkpoint-register-file.ts'
import { checkObjectStore, type ObjectCredentials, openObjectRegister } from './checkpoint-register-object.ts'
import { openPostgresRegister } from './checkpoint-register-postgres.ts'
import { registerFileIn } from './data-files.ts'
import { compareDatabases, databaseIdentity } from './database-identity.ts'
import { checkPrivate } from './private-file.ts'

/** Where the register is, as an operator names it. */
export type RegisterPlace =
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'postgres'; readonly url: string }
  | { readonly kind: 'object'; readonly url: string; readonly credentialsFile: string }

/** The register cannot be where it was said to be; the message says why, and shows no secret. */
export class RegisterMisplaced extends Error {
  override name = 'RegisterMisplaced'
}

const credentialsShape = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('aws'),
    region: z.string().regex(/^[a-z0-9-]{1,64}$/),
    accessKeyId: z.string().min(1).max(256),
    secretAccessKey: z.string().min(1).max(256),
    sessionToken: z.string().min(1).max(4_096).optional(),
  }),
  z.strictObject({ kind: z.literal('bearer'), token: z.string().regex(/^[\x21-\x7e]{16,4096}$/) }),
])

/**
 * Opens the register where it was said to be, after a look at whether it can be one there.
 *
 * @param guardedUrl the database it guards, where that is a PostgreSQL; what is lost with it guards nothing.
 * @throws (rejects) RegisterMisplaced, ObjectStoreUnfit, or what cannot be reached.
 */
export async function openCheckpointRegister(
  place: RegisterPlace,
  guarded: { readonly origin: string; readonly url: string | null },
): Promise<{ register: CheckpointRegister; warning: 'register_on_same_server' | null }> {
  switch (place.kind) {
    case 'file':
      return { register: openCheckpointRegisterFile(place.file, guarded.url !== null), warning: null }
    case 'postgres': {
      const standing = guarded.url === null ? 'apart' : await compare(place.url, guarded.url)
      if (standing === 'same')
        throw new RegisterMisplaced(
          'COUNTERSIGN_CHECKPOINT_REGISTER is the very database it is to guard: whoever puts that back to an older state puts the register back with it. Name another database, on another server',
        )
      const warning = standing === 'same_server' ? 'register_on_same_server' : null
      return { register: openPostgresRegister(place.url, guarded.origin), warning }
    }
    case 'object': {
      const options = { url: place.url, credentials: readCredentials(place.credentialsFile) }
      await checkObjectStore(options)
      return { register: openObjectRegister(options), warning: null }
    }
  }
}

/**
 * The place of one epoch's register: each log has its own, and the one of an ended log stays as evidence.
 *
 * @param place null for a file in the data folder.
 */
export function placeInEpoch(place: RegisterPlace | null, dataFolder: string, epoch: number): RegisterPlace {
  if (place === null) return { kind: 'file', file: registerFileIn(dataFolder, epoch) }
  if (epoch === 1 || place.kind === 'postgres') return place
  return place.kind === 'file'
    ? { ...place, file: `${place.file}.${epoch}` }
    : { ...place, url: `${place.url}.${epoch}` }
}

async function compare(url: string, guardedUrl: string) {
  return compareDatabases(await databaseIdentity(url), await databaseIdentity(guardedUrl))
}

/** @throws RegisterMisplaced if the file is missing, open to others or of another form; it is never quoted. */
function readCredentials(file: string): ObjectCredentials {
  try {
    checkPrivate(file)
    return credentialsShape.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    throw new RegisterMisplaced(
      `${file} must be a file for its owner alone (chmod 600) with {"kind":"aws","region","accessKeyId","secretAccessKey"} or {"kind":"bearer","token"}`,
    )
  }
}
