import { and, eq, getTableColumns, sql } from 'drizzle-orm'
import type { DebtRow } from '../../ports/rows.ts'
import type { Debts } from '../../ports/store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, first, mapped, type Preparation, Repository } from './repository.ts'

export function prepareDebts({ db, t: { debts }, d }: Preparation) {
  const p = sql.placeholder
  return {
    find: d.prepare(
      'debts_find',
      d.forUpdate(
        db
          .select()
          .from(debts)
          .where(and(eq(debts.actionId, p('actionId')), eq(debts.userId, p('userId')))),
      ),
    ),
    insert: d.prepare('debts_insert', db.insert(debts).values(allGiven(getTableColumns(debts)))),
    setPayment: d.prepare(
      'debts_set_payment',
      db
        .update(debts)
        .set({ paidByActionId: given(debts.paidByActionId, 'paidByActionId') })
        .where(and(eq(debts.actionId, p('actionId')), eq(debts.userId, p('userId')))),
    ),
    clearPayment: d.prepare(
      'debts_clear_payment',
      db
        .update(debts)
        .set({ paidByActionId: null })
        .where(and(eq(debts.paidByActionId, p('paidByActionId')), eq(debts.userId, p('userId')))),
    ),
    reopen: d.prepare(
      'debts_reopen',
      db
        .update(debts)
        .set({ paidByActionId: null })
        .where(and(eq(debts.userId, p('userId')), eq(debts.paidByActionId, p('paidByActionId'))))
        .returning({ actionId: debts.actionId }),
    ),
  }
}

export class DebtRepository extends Repository<ReturnType<typeof prepareDebts>> implements Debts {
  find(actionId: string, userId: string) {
    return first(this.run(this.q.find, { actionId, userId }))
  }

  insert(row: DebtRow) {
    return done(this.run(this.q.insert, row))
  }

  setPayment(actionId: string, paidByActionId: string | null, userId: string) {
    return done(this.run(this.q.setPayment, { actionId, paidByActionId, userId }))
  }

  reopen(userId: string, paidByActionId: string) {
    return mapped(this.run(this.q.reopen, { userId, paidByActionId }), (row) => row.actionId)
  }

  clearPayment(paidByActionId: string, userId: string) {
    return done(this.run(this.q.clearPayment, { paidByActionId, userId }))
  }
}
