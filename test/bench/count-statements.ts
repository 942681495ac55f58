import { AsyncLocalStorage } from 'node:async_hooks'
import Database from 'better-sqlite3'
import { Client } from 'pg'
import type { Counted } from './run-worker.ts'

/** The statements of better-sqlite3 run by these, drizzle's among them. */
const RUNS = ['run', 'get', 'all', 'iterate'] as const

export type StatementCounter = {
  /** Serves a request; what it sends while counting is on is its own. */
  serve<T>(request: () => T): T
  /** Begins to count. Nothing is slowed down before that, nor after the function it returns was called. */
  count(): () => Counted
}

/**
 * Counts what requests send to PostgreSQL, the work of the background left out: it is told by what a call is the
 * consequence of. A round trip is a wait for an answer: what is sent over a connection while an answer is on its way
 * costs no further one.
 */
export function postgresCounter(): StatementCounter {
  const request = new AsyncLocalStorage<true>()
  const send = Client.prototype.query
  let isCounting = false
  let requests = 0
  let statements = 0
  let roundTrips = 0
  const underway = new WeakMap<Client, number>()

  function counting(this: Client, ...args: unknown[]): unknown {
    const sent: unknown = Reflect.apply(send, this, args)
    if (request.getStore() === undefined) return sent
    statements += 1
    const before = underway.get(this) ?? 0
    if (before === 0) roundTrips += 1
    if (sent instanceof Promise) {
      underway.set(this, before + 1)
      const over = () => void underway.set(this, (underway.get(this) ?? 1) - 1)
      sent.then(over, over)
    }
    return sent
  }

  return {
    serve(answer) {
      if (!isCounting) return answer()
      requests += 1
      return request.run(true, answer)
    },
    count() {
      Client.prototype.query = counting as typeof send
      isCounting = true
      ;[requests, statements, roundTrips] = [0, 0, 0]
      return () => {
        isCounting = false
        Client.prototype.query = send
        return { requests, statements, roundTrips }
      }
    },
  }
}

/**
 * Counts every statement this process runs in an embedded database, shared by the requests of a commit as they are: the
 * few of the background are among them. There is nobody to wait for, so round trips are none.
 */
export function sqliteCounter(): StatementCounter {
  const db = new Database(':memory:')
  const prototype: object = Object.getPrototypeOf(db.prepare('select 1'))
  db.close()
  let isCounting = false
  let requests = 0
  let statements = 0
  return {
    serve(answer) {
      if (isCounting) requests += 1
      return answer()
    },
    count() {
      const own = RUNS.map((name) => [name, Reflect.get(prototype, name)] as const)
      for (const [name, original] of own) {
        Reflect.set(prototype, name, function (this: unknown, ...args: unknown[]) {
          statements += 1
          return Reflect.apply(original, this, args)
        })
      }
      isCounting = true
      ;[requests, statements] = [0, 0]
      return () => {
        isCounting = false
        for (const [name, original] of own) Reflect.set(prototype, name, original)
        return { requests, statements, roundTrips: 0 }
      }
    },
  }
}
