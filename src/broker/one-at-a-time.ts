/** The last in each line. */
const waiting = new Map<string, Promise<unknown>>()

/**
 * Runs works of the same name one after another in this process, so that those that would be in each other's way need not
 * begin again. It is no promise: other processes have lines of their own.
 */
export async function oneAtATime<T>(name: string, work: () => Promise<T>): Promise<T> {
  const before = waiting.get(name)
  const mine = (before ?? Promise.resolve()).then(work, work)
  waiting.set(name, mine)
  try {
    return await mine
  } finally {
    if (waiting.get(name) === mine) waiting.delete(name)
  }
}
