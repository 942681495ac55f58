/** Calls that are being answered, whoever still waits for them. */
export class Running {
  #count = 0
  #whenIdle: (() => void)[] = []

  async count<T>(work: () => Promise<T>): Promise<T> {
    this.#count += 1
    try {
      return await work()
    } finally {
      this.#count -= 1
      if (this.#count === 0) for (const resolve of this.#whenIdle.splice(0)) resolve()
    }
  }

  async idle(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
  }
}
