import type { LoadedAction, LoadedManifest } from '../core/manifest/loaded-manifest.ts'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import { openIncident } from './open-incident.ts'

/** How long the same drift is not told again, in milliseconds: every refused call would say it. */
const TOLD_MS = 3_600_000
const TOLD_MOST = 10_000

const told = new WeakMap<Broker, Map<string, number>>()

/**
 * An MCP server defines a tool otherwise than the manifest that was reviewed. The call was refused already, or made
 * before the change could be seen; here an operator is told, with an incident that concerns no user in particular.
 */
export async function reportDrift(
  broker: Broker,
  { loaded, action }: { loaded: LoadedManifest; action: LoadedAction },
  detail: string,
): Promise<void> {
  const { skill: skillId, version } = loaded.manifest
  if (!isNews(broker, JSON.stringify([loaded.digest, detail]))) return
  broker.logger.warn('manifest_drift', { skill: skillId, version, action: action.declared.name })
  // What became of the call does not hang on whether this could be written down.
  await open(broker, loaded, action, detail).catch((error: unknown) =>
    broker.logger.error('drift_not_recorded', { error }),
  )
}

async function open(
  broker: Broker,
  { manifest: { skill: skillId, version } }: LoadedManifest,
  action: LoadedAction,
  detail: string,
): Promise<void> {
  const seal = await sealerFor(broker, { userId: '', skillId })
  await broker.store.transaction((tx) =>
    openIncident(broker, tx, seal, {
      kind: 'manifest_drift',
      userId: null,
      skillId,
      actionId: null,
      detail: `version ${version}, ${action.declared.name}: ${detail}`,
      // Each action is held against its definition with every call: the others may go on.
      stopsSpending: false,
    }),
  )
}

function isNews(broker: Broker, drift: string): boolean {
  const { nowMs } = broker.store.now()
  const known = told.get(broker) ?? new Map<string, number>()
  told.set(broker, known)
  const before = known.get(drift)
  if (before !== undefined && nowMs - before < TOLD_MS) return false
  if (known.size >= TOLD_MOST) known.clear()
  known.set(drift, nowMs)
  return true
}
