import { StoreUnavailable } from '../ports/store-unavailable.ts'

type Waiting = { go(): void }

/**
 * Lets one unit of work a user run at a time in this process, in the order they came. The database does the same for
 * all processes; here it keeps one busy user from holding every connection while the others wait.
 */
export class Turns {
  readonly #most: number
  readonly #withinMs: number
  readonly #lines = new Map<string, Waiting[]>()
  #waiting = 0

  /** @param most how many may wait in all. @param withinMs how long one may wait. */
  constructor(most: number, withinMs: number) {
    this.#most = most
    this.#withinMs = withinMs
  }

  /**
   * Waits for the turn of this user and returns what ends it.
   *
   * @throws (rejects) StoreUnavailable when too many wait, or this one waited too long.
   */
  async take(owner: string): Promise<() => void> {
    const line = this.#lines.get(owner)
    if (line === undefined) {
      this.#lines.set(owner, [])
      return () => this.#next(owner)
    }
    if (this.#waiting >= this.#most) throw new StoreUnavailable('busy')
    this.#waiting += 1
    try {
      await this.#stand(line)
    } finally {
      this.#waiting -= 1
    }
    return () => this.#next(owner)
  }

  #stand(line: Waiting[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const me: Waiting = {
        go() {
          clearTimeout(timer)
          resolve()
        },
      }
      const timer = setTimeout(() => {
        line.splice(line.indexOf(me), 1)
        reject(new StoreUnavailable('busy'))
      }, this.#withinMs)
      line.push(me)
    })
  }

  #next(owner: string): void {
    const next = this.#lines.get(owner)?.shift()
    if (next) next.go()
    else this.#lines.delete(owner)
  }
}
