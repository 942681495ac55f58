import { pino } from 'pino'
import type { Logger } from './broker/broker.ts'
import type { LogLevel } from './config.ts'

/**
 * Structured lines on standard output, one JSON object each. Errors keep their stack here, and only here.
 * Lines are written when the event loop gets to it, so that no request waits for a terminal.
 */
export function createLogger(level: LogLevel): Logger {
  const destination = pino.destination({ dest: 1, sync: false })
  // What was not written yet is written when the process ends: the last lines are the ones that are looked for.
  process.once('exit', () => destination.flushSync())
  const lines = pino(
    { level, base: null, serializers: { error: pino.stdSerializers.err }, messageKey: 'event' },
    destination,
  )
  return {
    info: (event, facts) => lines.info(facts ?? {}, event),
    warn: (event, facts) => lines.warn(facts ?? {}, event),
    error: (event, facts) => lines.error(facts ?? {}, event),
  }
}
