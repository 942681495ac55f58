import { type LogLag, type LogSight, lagOf } from '../core/log/log-lag.ts'
import type { Admission } from './admission.ts'
import { type BackgroundLoop, startLoop } from './background-loop.ts'
import type { Broker } from './broker.ts'

const LOOK_EVERY_MS = 250

export type LogWatch = Admission & {
  /** How far the log is behind, as far as is known. */
  lag(): LogLag
  /** Looks at the log now. */
  look(): Promise<void>
  start(): void
  stop(): Promise<void>
}

/**
 * Watches how far the log is behind what was committed, four times a second: from the oldest leaf that no checkpoint
 * covers, in line or in the tree.
 *
 * @param isLive whether this process shows the others that it is alive.
 */
export function openLogWatch(
  broker: Pick<Broker, 'store' | 'settings' | 'logger'>,
  isLive: () => boolean,
  monotonicMs: () => number = () => performance.now(),
): LogWatch {
  let seen: { readonly behindMs: number; readonly atMs: number } | undefined
  let loop: BackgroundLoop | undefined
  let isAlarmed = false

  function lag(): LogLag {
    const sight: LogSight | undefined = seen && {
      behindMs: seen.behindMs,
      unseenMs: monotonicMs() - seen.atMs,
    }
    return lagOf(sight, broker.settings.mergeWithinMs)
  }

  /** Told when it begins and when it is over, not four times a second. */
  function tell(): void {
    const { alarms, behindMs, stops } = lag()
    if (alarms && !isAlarmed) broker.logger.error('log_behind', { behindMs, stops })
    if (!alarms && isAlarmed) broker.logger.info('log_caught_up', { behindMs })
    isAlarmed = alarms
  }

  async function look(): Promise<void> {
    // The age counts from before the look: it may be too high, never too low.
    const atMs = monotonicMs()
    try {
      const behindMs = await broker.store.read(async (tx) => {
        const { queuedAtMs, uncoveredAtMs } = await tx.logQueue.backlog()
        const oldestMs = Math.min(queuedAtMs ?? tx.nowMs, uncoveredAtMs ?? tx.nowMs)
        return Math.max(0, tx.nowMs - oldestMs)
      })
      seen = { behindMs, atMs }
    } finally {
      tell()
    }
  }

  return {
    lag,
    look,
    refusal() {
      if (!isLive()) return 'node_lapsed'
      return lag().stops ? 'log_behind' : undefined
    },
    start() {
      loop ??= startLoop('watch_log', LOOK_EVERY_MS, broker.logger, look)
    },
    async stop() {
      await loop?.stop()
    },
  }
}
