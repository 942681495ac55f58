/** Wakes a loop that waits, so that what was just committed is taken up at once. */
export class WakeUp {
  #isWoken = false
  #end: (() => void) | undefined

  wake(): void {
    this.#isWoken = true
    this.#end?.()
  }

  /** Resolves when woken, at once if that happened since the last wait, or after the time. Keeps no process alive. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#end?.(), this.#isWoken ? 0 : ms)
      timer.unref()
      this.#end = () => {
        clearTimeout(timer)
        this.#isWoken = false
        this.#end = undefined
        resolve()
      }
      if (this.#isWoken) this.#end()
    })
  }
}
