import { AsyncLocalStorage } from 'node:async_hooks'
import Database from 'better-sqlite3'
import { Client } from 'pg'
import type { Counted } from './run-worker.ts'

/** The statements of better-sqlite3 run by these, drizzle's among them. */
const RUNS = ['run', 'get', 'all', 'iterate'] as const

export type StatementCounter = {
  /** Serves a request; what it sends while counting is on is its own. */
  serve<T>(request: () => T | Promise<T>): T | Promise<T>
  /** Begins to count. Nothing is slowed down before that, nor after the function it returns was called. */
  count(): () => Counted
}

type Sending = { statements: number; roundTrips: number }

/** Tells requests from the background by what a call is the consequence of, and counts requests that were answered. */
function requestCounter(begin: (own: () => Sending | undefined) => () => void): StatementCounter {
  const request = new AsyncLocalStorage<Sending>()
  let answered: Sending[] | undefined
  return {
    serve(answer) {
      const finished = answered
      if (!finished) return answer()
      const sending: Sending = { statements: 0, roundTrips: 0 }
      // What is cut off by the end of the count would make requests look cheaper than they are.
      return request.run(sending, async () => {
        try {
          return await answer()
        } finally {
          finished.push(sending)
        }
      })
    },
    count() {
      const finished: Sending[] = []
      answered = finished
      const end = begin(() => request.getStore())
      return () => {
        answered = undefined
        end()
        return {
          requests: finished.length,
          statements: finished.reduce((sum, { statements }) => sum + statements, 0),
          roundTrips: finished.reduce((sum, { roundTrips }) => sum + roundTrips, 0),
        }
      }
    },
  }
}

/**
 * Counts what requests send to PostgreSQL, the key store included. A round trip is a wait for an answer: what is sent
 * over a connection while an answer is on its way costs no further one.
 */
export function postgresCounter(): StatementCounter {
  return requestCounter((own) => {
    const send = Client.prototype.query
    const underway = new WeakMap<Client, number>()
    Client.prototype.query = function (this: Client, ...args: unknown[]): unknown {
      const sent: unknown = Reflect.apply(send, this, args)
      const sending = own()
      if (!sending) return sent
      const before = underway.get(this) ?? 0
      sending.statements += 1
      if (before === 0) sending.roundTrips += 1
      if (sent instanceof Promise) {
        underway.set(this, before + 1)
        const over = () => void underway.set(this, (underway.get(this) ?? 1) - 1)
        sent.then(over, over)
      }
      return sent
    } as typeof send
    return () => {
      Client.prototype.query = send
    }
  })
}

/**
 * Counts the statements of an embedded database. Requests that share a commit are counted with the one that began it, so
 * only their mean says anything. There is nobody to wait for, so round trips are none.
 */
export function sqliteCounter(): StatementCounter {
  const db = new Database(':memory:')
  const prototype: object = Object.getPrototypeOf(db.prepare('select 1'))
  db.close()
  return requestCounter((own) => {
    const originals = RUNS.map((name) => [name, Reflect.get(prototype, name)] as const)
    for (const [name, original] of originals) {
      Reflect.set(prototype, name, function (this: unknown, ...args: unknown[]) {
        const sending = own()
        if (sending) sending.statements += 1
        return Reflect.apply(original, this, args)
      })
    }
    return () => {
      for (const [name, original] of originals) Reflect.set(prototype, name, original)
    }
  })
}
