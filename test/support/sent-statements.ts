import { Client } from 'pg'
import { vi } from 'vitest'

export type SentStatement = {
  readonly name: string
  readonly text: string
  readonly values: readonly unknown[]
}

export type Sent = {
  readonly statements: readonly SentStatement[]
  /** How often somebody had to wait for the server: what is sent while an answer is on its way costs nothing more. */
  readonly roundTrips: number
}

/** Listens to everything this process sends to PostgreSQL while some work is done. */
export async function listenWhile<T>(work: () => Promise<T>): Promise<Sent & { value: T }> {
  const statements: SentStatement[] = []
  let underway = 0
  let roundTrips = 0
  const send = Client.prototype.query
  const spy = vi.spyOn(Client.prototype, 'query').mockImplementation(function (
    this: Client,
    ...args: unknown[]
  ) {
    const [query] = args
    const { name = '', text = '', values = [] } = typeof query === 'string' ? { text: query } : Object(query)
    statements.push({ name, text, values })
    if (underway === 0) roundTrips += 1
    underway += 1
    const sent: unknown = Reflect.apply(send, this, args)
    if (sent instanceof Promise) {
      const over = () => {
        underway -= 1
      }
      sent.then(over, over)
    }
    return sent
  } as typeof send)
  try {
    const value = await work()
    return { value, statements, roundTrips }
  } finally {
    spy.mockRestore()
  }
}
