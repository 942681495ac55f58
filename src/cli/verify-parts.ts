import { auditParts, countedVerdicts, lastingAlarms, type PartAudit } from '../broker/audit-parts.ts'
import type { Config } from '../config.ts'
import { openCellReader, openSharedCellReader } from '../keys/cell-reader.ts'
import { readEpochKeys } from '../keys/kek-file.ts'
import { KeyFileError } from '../keys/key-file.ts'
import { dataFilesIn } from '../store/data-files.ts'
import { openPostgresView } from '../store/open-postgres-view.ts'
import { countOf } from './count-of.ts'
import { openDataView } from './data-log.ts'
import { deploymentConfig, POSTGRES_MIGRATIONS } from './deployment.ts'
import { CannotRun, type Terminal } from './terminal.ts'

type Env = Readonly<Record<string, string | undefined>>

/**
 * Says of every sealed part of a deployment, which may be running, what became of it.
 *
 * @throws (rejects) CannotRun if store or keys cannot be read.
 */
export async function verifyParts(data: string, env: Env): Promise<PartAudit> {
  const config = deploymentConfig(data, env)
  const first = await auditNow(config)
  if (first.alarms.length === 0) return first
  // What was being written or destroyed while we looked is settled by the second look.
  const second = await auditNow(config)
  return { ...second, alarms: lastingAlarms(first, second) }
}

async function auditNow(config: Config): Promise<PartAudit> {
  const { databaseUrl, dataFolder, kekFile, keyStoreUrl, keepPartsDays } = config
  const nowMs = Date.now()
  const view =
    databaseUrl === null
      ? openDataView(dataFolder)
      : await openPostgresView({ url: databaseUrl, migrationsFolder: POSTGRES_MIGRATIONS, nowMs })
  try {
    const keks = readEpochKeys(kekFile)
    const cells =
      keyStoreUrl === null
        ? openCellReader(dataFilesIn(dataFolder).cells, keks)
        : await openSharedCellReader(keyStoreUrl, keks)
    try {
      return await auditParts({ store: view, cells, keepPartsDays, nowMs })
    } finally {
      await cells.close()
    }
  } catch (error) {
    if (error instanceof KeyFileError) throw new CannotRun(error.message, { cause: error })
    throw error
  } finally {
    await view.close()
  }
}

export function printParts(audit: PartAudit, terminal: Terminal): void {
  const told = countedVerdicts(audit).filter(([, count]) => count > 0)
  terminal.out(`sealed parts: ${told.map(([verdict, count]) => `${count} ${verdict}`).join(', ') || 'none'}`)
  for (const { leafIndex, logged, marked } of audit.erasures)
    terminal.out(`  leaf ${leafIndex} erased ${countOf(logged, 'part')}, ${marked} of them marked`)
  for (const { verdict, eventId, part, leafIndex, epoch } of audit.alarms) {
    const where = epoch === null ? `leaf ${leafIndex}` : `leaf ${leafIndex} of epoch ${epoch}`
    terminal.out(`${terminal.paint('red', verdict)} ${where}, ${part} of ${eventId}`)
  }
}
