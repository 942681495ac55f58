import { pino } from 'pino'
import type { Logger } from '../broker/broker.ts'

/** Structured lines into a file of their own, so that the story has the terminal for itself. */
export function openFileLogger(file: string): Logger {
  const lines = pino(
    { base: null, serializers: { error: pino.stdSerializers.err }, messageKey: 'event' },
    pino.destination({ dest: file, mkdir: true, sync: true }),
  )
  return {
    info: (event, facts) => lines.info(facts ?? {}, event),
    warn: (event, facts) => lines.warn(facts ?? {}, event),
    error: (event, facts) => lines.error(facts ?? {}, event),
  }
}
