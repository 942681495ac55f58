const STEP_MS = 15 * 60_000

/** Where each date of a zone begins, found by looking at its clocks every quarter of an hour. */
export interface LocalDates {
  /** The first instant that shows `date` (2025-06-01) or a later one. */
  startOf(date: string): number
  /** The date whose start was the last to pass. */
  at(atMs: number): string
}

export function lookUpLocalDates(zone: string, fromMs: number, toMs: number): LocalDates {
  const shown = new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' })
  const starts: { date: string; startMs: number }[] = []
  for (let atMs = fromMs; atMs < toMs; atMs += STEP_MS) {
    const date = shown.format(atMs)
    const last = starts.at(-1)
    if (last === undefined || date > last.date) starts.push({ date, startMs: atMs })
  }
  const found = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('outside the dates looked up')
    return value
  }
  return {
    startOf: (date) => found(starts.find((start) => start.date >= date)).startMs,
    at: (atMs) => found(starts.findLast((start) => start.startMs <= atMs)).date,
  }
}

/** The first date of the period that holds `date`, and of the one after. */
export function periodOfDate(
  date: string,
  period: 'day' | 'week' | 'month',
): { first: string; next: string } {
  const [year = 0, month = 1] = date.split('-').map(Number)
  if (period === 'month') {
    const next = month === 12 ? [year + 1, 1] : [year, month + 1]
    return { first: `${date.slice(0, 7)}-01`, next: `${next[0]}-${String(next[1]).padStart(2, '0')}-01` }
  }
  let first = date
  while (period === 'week' && new Date(first).getUTCDay() !== 1) first = moved(first, -1)
  return { first, next: moved(first, period === 'week' ? 7 : 1) }
}

function moved(date: string, days: number): string {
  return new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10)
}
