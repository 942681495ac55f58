import type { Built, Dialect, Query, RowsOf } from './dialect.ts'
import { type Bind, bindOf, readerOf } from './row-codec.ts'

/** A statement as it is sent: the server parses it once on each connection, under its name. */
export type PostgresStatement = {
  readonly name: string
  readonly text: string
  readonly binds: readonly Bind[]
  /** Whether it changes anything. */
  readonly isWrite: boolean
  /** Null for a write that answers with no rows. */
  readonly read: ((row: readonly unknown[]) => unknown) | null
}

/** The parts of drizzle's own builder that the embedded engine's lacks. */
type Lockable = { orderBy(...columns: unknown[]): Lockable; for(strength: 'update'): object }

export type PostgresDialect = Dialect & {
  /** What a prepared statement of this dialect sends. @throws TypeError for one of another dialect. */
  statementOf(query: object): PostgresStatement
}

/**
 * Prepares what drizzle built, once for every connection: a unit of work sends it over its own.
 *
 * @param locks whether rows may be locked: who only looks must not.
 */
export function postgresDialect(locks: boolean): PostgresDialect {
  const statements = new WeakMap<object, PostgresStatement>()
  return {
    prepare<Q extends Built>(name: string, query: Q): Query<RowsOf<Q>> {
      const { sql: text, params } = query.toSQL()
      const prepared: Query<RowsOf<Q>> = () => {
        throw new TypeError(`${name} is sent by a unit of work only`)
      }
      statements.set(prepared, {
        name,
        text,
        binds: params.map(bindOf),
        isWrite: !/^(select|\()/i.test(text),
        read: readerOf<RowsOf<Q>>(query),
      })
      return prepared
    },
    forUpdate<Q extends object>(query: Q, ...order: unknown[]): Q {
      if (!locks) return query
      const lockable = query as object as Lockable
      return (order.length > 0 ? lockable.orderBy(...order) : lockable).for('update') as Q
    },
    keyOf: (embedded, owner) => [...embedded, owner],
    statementOf(query) {
      const statement = statements.get(query)
      if (!statement) throw new TypeError('a statement of another dialect')
      return statement
    },
  }
}
