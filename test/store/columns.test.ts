import { expect, it } from 'vitest'
import { postgresColumns, sqliteColumns } from '../../src/store/columns.ts'
import * as postgresExports from '../../src/store/schema/postgres.ts'
import { postgresTables } from '../../src/store/schema/postgres.ts'
import * as sqliteExports from '../../src/store/schema/sqlite.ts'
import { sqliteTables } from '../../src/store/schema/sqlite.ts'

const s = sqliteColumns
const p = postgresColumns

/** One column of each kind, nullable and not. */
const sqliteProbe = s.table(
  'probe',
  {
    id: s.id('id'),
    text: s.text('text').notNull(),
    maybeText: s.text('maybe_text'),
    ownText: s.text('own_text').notNull().default(''),
    integer: s.integer('integer').notNull(),
    maybeInteger: s.integer('maybe_integer'),
    boolean: s.boolean('boolean').notNull(),
    maybeBoolean: s.boolean('maybe_boolean'),
    bytes: s.bytes('bytes').notNull(),
    maybeBytes: s.bytes('maybe_bytes'),
  },
  (t) => [s.ownedKey(t.text, [t.id]), ...s.ownedBy(t.text, t.id)],
)
const postgresProbe = p.table(
  'probe',
  {
    id: p.id('id'),
    text: p.text('text').notNull(),
    maybeText: p.text('maybe_text'),
    ownText: p.text('own_text').notNull().default(''),
    integer: p.integer('integer').notNull(),
    maybeInteger: p.integer('maybe_integer'),
    boolean: p.boolean('boolean').notNull(),
    maybeBoolean: p.boolean('maybe_boolean'),
    bytes: p.bytes('bytes').notNull(),
    maybeBytes: p.bytes('maybe_bytes'),
  },
  (t) => [p.ownedKey(t.text, [t.id]), ...p.ownedBy(t.text, t.id)],
)

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

it('rows of every kind of column have one type on both engines: otherwise this does not compile', () => {
  const selected: Equal<typeof sqliteProbe.$inferSelect, typeof postgresProbe.$inferSelect> = true
  const inserted: Equal<typeof sqliteProbe.$inferInsert, typeof postgresProbe.$inferInsert> = true
  expect([selected, inserted]).toEqual([true, true])
})

it('every table is seen by what writes migrations, on both engines', () => {
  expect(Object.keys(sqliteExports)).toEqual(expect.arrayContaining(Object.keys(sqliteTables)))
  expect(Object.keys(postgresExports)).toEqual(expect.arrayContaining(Object.keys(postgresTables)))
})
