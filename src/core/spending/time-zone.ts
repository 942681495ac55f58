const HOUR_MS = 3_600_000
const SEARCH_MS = 24 * HOUR_MS
/** No zone has ever changed its offset twice within this time, so one step holds one change at most. */
const STEP_MS = 6 * HOUR_MS
/** Zones arrive from users, so the caches are bounded: names differing only in case would fill them otherwise. */
const CACHE_MAX = 4096

const formatters = new Map<string, Intl.DateTimeFormat>()
const dateStarts = new Map<string, number>()

/** Whether this runtime knows `zone` as an IANA name; fixed offsets such as `+08:00` are not names. */
export function isTimeZone(zone: string): boolean {
  if (!/^[A-Za-z]/.test(zone)) return false
  try {
    formatterOf(zone)
    return true
  } catch {
    return false
  }
}

/**
 * The calendar date in `zone` at an instant, as the Unix ms of that date's midnight in UTC.
 *
 * @throws RangeError for a zone this runtime does not know; zones are checked where they are set.
 */
export function dateAt(atMs: number, zone: string): number {
  const wallMs = wallClockAt(atMs, zone)
  return wallMs - (((wallMs % SEARCH_MS) + SEARCH_MS) % SEARCH_MS)
}

/**
 * The first instant at which the calendars of `zone` show `dateMs` (a date as `dateAt` gives it) or a later date.
 *
 * A date that a zone skipped (Pacific/Apia, 2011-12-30) starts where the next one does. Where clocks go back
 * over midnight, the date starts the first time it is shown, as in java.time and Temporal.
 *
 * @throws RangeError for a zone this runtime does not know.
 */
export function startOfDate(dateMs: number, zone: string): number {
  const key = `${zone} ${dateMs}`
  const known = dateStarts.get(key)
  if (known !== undefined) return known
  const startMs = findStart(dateMs, zone)
  if (dateStarts.size >= CACHE_MAX) dateStarts.clear()
  dateStarts.set(key, startMs)
  return startMs
}

/** Walks the stretches of constant offset around the date and takes the first instant that shows it. */
function findStart(dateMs: number, zone: string): number {
  let fromMs = dateMs - SEARCH_MS
  let offsetMs = offsetAt(fromMs, zone)
  while (fromMs < dateMs + SEARCH_MS) {
    const toMs = fromMs + STEP_MS
    const nextOffsetMs = offsetAt(toMs, zone)
    const changeMs = nextOffsetMs === offsetMs ? toMs : changeBetween(fromMs, toMs, zone)
    const startMs = Math.max(fromMs, dateMs - offsetMs)
    if (startMs < changeMs) return startMs
    const startAfterMs = Math.max(changeMs, dateMs - nextOffsetMs)
    if (startAfterMs < toMs) return startAfterMs
    fromMs = toMs
    offsetMs = nextOffsetMs
  }
  throw new RangeError(`the zone ${zone} has no start of a date`)
}

/** The first instant after `fromMs` with another offset, by bisection. */
function changeBetween(fromMs: number, toMs: number, zone: string): number {
  const offsetMs = offsetAt(fromMs, zone)
  let before = fromMs
  let after = toMs
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (offsetAt(middle, zone) === offsetMs) before = middle
    else after = middle
  }
  return after
}

function offsetAt(atMs: number, zone: string): number {
  return wallClockAt(atMs, zone) - Math.floor(atMs / 1000) * 1000
}

/** What clocks in the zone show, to the second, written as if it were UTC. */
function wallClockAt(atMs: number, zone: string): number {
  const shown = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 }
  for (const { type, value } of formatterOf(zone).formatToParts(atMs)) {
    if (type in shown) shown[type as keyof typeof shown] = Number(value)
  }
  return Date.UTC(shown.year, shown.month - 1, shown.day, shown.hour, shown.minute, shown.second)
}

function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone)
  if (known) return known
  const formatter = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  if (formatters.size >= CACHE_MAX) formatters.clear()
  formatters.set(zone, formatter)
  return formatter
}

/**
 * The minute of the day, 0 to 1439, that clocks in `zone` show at an instant.
 *
 * @throws RangeError for a zone this runtime does not know.
 */
export function minuteOfDayAt(atMs: number, zone: string): number {
  // Asked on the path of every action, mostly where nothing depends on the zone.
  if (zone === 'UTC') return Math.floor((atMs % SEARCH_MS) / 60_000)
  return Math.floor((wallClockAt(atMs, zone) - dateAt(atMs, zone)) / 60_000)
}
