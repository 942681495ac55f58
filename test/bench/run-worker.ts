import type { z } from 'zod'

/** What a worker offers: ports of loopback by name. */
export type Offer = {
  readonly ports: Readonly<Record<string, number>>
  /** Counts what requests send to the database from when it is called until the function it returns is. */
  count?(): () => Counted
  stop(): Promise<void>
}

/** What requests took of the database, all of them together. */
export type Counted = { readonly requests: number; readonly statements: number; readonly roundTrips: number }

/**
 * The life of a server in a process of its own: takes its options from the command line, tells its ports, and stops
 * when it is told to or when nobody is left who could.
 */
export async function runWorker<Options>(
  shape: z.ZodType<Options>,
  start: (options: Options) => Promise<Offer>,
): Promise<void> {
  const offer = await start(shape.parse(JSON.parse(process.argv[2] ?? '')))
  const stop = () => {
    offer.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  }
  let counted = (): Counted => ({ requests: 0, statements: 0, roundTrips: 0 })
  process.on('message', (message) => {
    if (message === 'cpu') process.send?.({ cpu: process.cpuUsage() })
    else if (message === 'count') counted = offer.count?.() ?? counted
    else if (message === 'counted') process.send?.({ counted: counted() })
    else stop()
  })
  process.once('disconnect', stop)
  // Ctrl-C in a terminal reaches the parent too, which decides when this ends.
  process.on('SIGINT', () => {})
  process.send?.({ ports: offer.ports })
}
