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
          .where(eq(debts.actionId, p('actionId'))),
      ),
    ),
    insert: d.prepare('debts_insert', db.insert(debts).values(allGiven(getTableColumns(debts)))),
    setPayment: d.prepare(
      'debts_set_payment',
      db
        .update(debts)
        .set({ paidByActionId: given(debts.paidByActionId, 'paidByActionId') })
        .where(eq(debts.actionId, p('actionId'))),
    ),
    clearPayment: d.prepare(
      'debts_clear_payment',
      db
        .update(debts)
        .set({ paidByActionId: null })
        .where(eq(debts.paidByActionId, p('paidByActionId'))),
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
  find(actionId: string) {
    return first(this.run(this.q.find, { actionId }))
  }

  insert(row: DebtRow) {
    return done(this.run(this.q.insert, row))
  }

  setPayment(actionId: string, paidByActionId: string | null) {
    return done(this.run(this.q.setPayment, { actionId, paidByActionId }))
  }

  reopen(userId: string, paidByActionId: string) {
    return mapped(this.run(this.q.reopen, { userId, paidByActionId }), (row) => row.actionId)
  }

  clearPayment(paidByActionId: string) {
    return done(this.run(this.q.clearPayment, { paidByActionId }))
  }
}
