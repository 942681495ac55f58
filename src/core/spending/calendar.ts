import { dateAt, startOfDate } from './time-zone.ts'

export type CalendarPeriod = 'day' | 'week' | 'month'

/** One day, ISO week or month in one zone: [startMs, endMs), named by its first date (as `dateAt` gives dates). */
export interface Period {
  readonly nameMs: number
  readonly startMs: number
  readonly endMs: number
}

/**
 * The period of `zone` that an instant falls into. Periods follow each other without gap or overlap whatever
 * the clocks do: one ends where the next one's first date starts.
 *
 * @throws RangeError for a zone this runtime does not know.
 */
export function periodAt(atMs: number, zone: string, period: CalendarPeriod): Period {
  let nameMs = firstDateOf(period, dateAt(atMs, zone))
  let endMs = startOfDate(nameAfter(period, nameMs), zone)
  // Clocks that go back over midnight show yesterday once more; the period that has begun stays begun.
  while (atMs >= endMs) {
    nameMs = nameAfter(period, nameMs)
    endMs = startOfDate(nameAfter(period, nameMs), zone)
  }
  return { nameMs, startMs: startOfDate(nameMs, zone), endMs }
}

/** Where the period of a name (`Period.nameMs`) ends in `zone`, which may be another than it was named in. */
export function endOfNamed(nameMs: number, zone: string, period: CalendarPeriod): number {
  return startOfDate(nameAfter(period, nameMs), zone)
}

function firstDateOf(period: CalendarPeriod, dateMs: number): number {
  const date = new Date(dateMs)
  switch (period) {
    case 'day':
      return dateMs
    case 'week': // ISO 8601: Monday is the first day.
      return addDays(dateMs, -((date.getUTCDay() + 6) % 7))
    case 'month':
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1)
  }
}

function nameAfter(period: CalendarPeriod, nameMs: number): number {
  const date = new Date(nameMs)
  switch (period) {
    case 'day':
      return addDays(nameMs, 1)
    case 'week':
      return addDays(nameMs, 7)
    case 'month':
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)
  }
}

/** Dates are UTC midnights, so every day is as long as the next. */
function addDays(dateMs: number, days: number): number {
  return dateMs + days * 86_400_000
}
