/** How often work is tried again, and how long in between. */
export type Backoff = {
  readonly triesMost: number
  /** The longest first pause; it doubles each time. Milliseconds. */
  readonly pauseMs: number
  /** From 0 up to 1, so that two that met do not meet again. */
  random(): number
}

export const BACKOFF: Backoff = { triesMost: 20, pauseMs: 4, random: Math.random }

const LONGEST_MS = 250

/** Waits before one more try: some random part of a time that grows. @param tries how many there were. */
export function pause(backoff: Backoff, tries: number): Promise<void> {
  const most = Math.min(LONGEST_MS, backoff.pauseMs * 2 ** tries)
  return new Promise((resolve) => setTimeout(resolve, most * (0.5 + backoff.random() / 2)))
}
