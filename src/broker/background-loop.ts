import type { Logger } from './broker.ts'

export type BackgroundLoop = {
  /** Waits for what is running and starts nothing more. */
  stop(): Promise<void>
}

/**
 * Repeats work, one run at a time, with a pause after each. A failure is logged and the work tried again at the
 * next turn. Does not keep the process alive.
 */
export function startLoop(
  name: string,
  pauseMs: number,
  logger: Logger,
  work: () => Promise<unknown>,
): BackgroundLoop {
  let stopped = false
  let running: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined

  async function run(): Promise<void> {
    try {
      await work()
    } catch (error) {
      logger.error('background_work_failed', {
        name,
        error: error instanceof Error ? error.message : 'unknown',
      })
    }
    if (!stopped) schedule()
  }
  function schedule(): void {
    timer = setTimeout(() => {
      running = run()
    }, pauseMs)
    timer.unref()
  }

  schedule()
  return {
    async stop() {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}
