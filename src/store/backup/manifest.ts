import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

export const MANIFEST_FILE = 'manifest.json'

/** What is there is no backup, or not the one that was written; the message says in what. */
export class BackupDamaged extends Error {
  override name = 'BackupDamaged'
}

const digest = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const headShape = z.strictObject({ treeSize: z.int().min(0), rootHash: z.string() })

const contentShape = z.strictObject({
  formatVersion: z.literal(2),
  kind: z.literal('database'),
  engine: z.enum(['sqlite', 'postgres']),
  /** Tells versions apart whose tables differ. */
  schema: digest,
  takenAtMs: z.int().min(0),
  log: headShape.extend({
    /** 1 until the store was restored for the first time. */
    epoch: z.int().min(1),
    /** Null before the first checkpoint, which names it. */
    origin: z.string().nullable(),
    /** Time of the newest leaf: nothing later is in here. */
    newestAtMs: z.int().min(0),
    checkpoint: headShape.extend({ note: z.string() }).nullable(),
  }),
  /** Which key store its sealed parts need, and how many destructions that had seen. */
  keyStore: z.strictObject({ id: z.string(), generation: z.int().min(0) }).nullable(),
  /** The key epoch whose key encrypts what is personal, and the salt of this backup. */
  personal: z.strictObject({ epoch: z.int().min(1), salt: digest }),
  tables: z.array(
    z.strictObject({
      name: z.string().regex(/^[a-z_]+$/),
      rows: z.int().min(0),
      bytes: z.int().min(0),
      sha256: digest,
      /** Its file of what is personal; null where it holds nothing of the kind. */
      personal: z.strictObject({ bytes: z.int().min(0), sha256: digest }).nullable(),
    }),
  ),
})
export type Manifest = z.infer<typeof contentShape>

const fileShape = z.strictObject({ content: contentShape, sha256: digest })

/** The manifest as it stands in its file, with a digest over itself. It shows damage, not who did it. */
export function manifestText(content: Manifest): string {
  return `${JSON.stringify({ content, sha256: digestOf(content) }, null, 2)}\n`
}

/** @throws BackupDamaged if there is none, or it is not as it was written. */
export function readManifest(folder: string): Manifest {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(join(folder, MANIFEST_FILE), 'utf8'))
  } catch (cause) {
    throw new BackupDamaged(`${folder} holds no ${MANIFEST_FILE} that can be read`, { cause })
  }
  const version = z.looseObject({ content: z.looseObject({ formatVersion: z.number() }) }).safeParse(json)
  if (version.success && version.data.content.formatVersion !== 2)
    throw new BackupDamaged(`${folder} was written by a version with another format of backups`)
  const parsed = fileShape.safeParse(json)
  if (!parsed.success) throw new BackupDamaged(`${MANIFEST_FILE} of ${folder} is no manifest of a database`)
  const { content, sha256 } = parsed.data
  if (digestOf(content) !== sha256)
    throw new BackupDamaged(`${MANIFEST_FILE} of ${folder} is not as it was written`)
  return content
}

/** The file of one table in a backup. */
export function tableFile(folder: string, name: string): string {
  return join(folder, `${name}.ndjson.gz`)
}

function digestOf(content: Manifest): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('base64url')
}
