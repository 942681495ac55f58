import { and, asc, desc, eq, getTableColumns, sql } from 'drizzle-orm'
import type { UndoItemRow, UndoJobRow, UndoRow } from '../../ports/revocation-rows.ts'
import type { Undos } from '../../ports/revocation-store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, first, found, mapped, type Preparation, Repository } from './repository.ts'

export function prepareUndos({ db, t: { undos: u, undoJobs: j, undoItems: i }, d }: Preparation) {
  const p = sql.placeholder
  const one = and(eq(u.actionId, p('actionId')), eq(u.userId, p('userId')))
  return {
    find: d.prepare('undos_find', db.select().from(u).where(one)),
    begin: d.prepare(
      'undos_begin',
      db
        .insert(u)
        .values(allGiven(getTableColumns(u)))
        .onConflictDoNothing()
        .returning(),
    ),
    beginAgain: d.prepare(
      'undos_begin_again',
      db
        .update(u)
        .set({
          status: given(u.status, 'status'),
          askedBy: given(u.askedBy, 'askedBy'),
          attempts: given(u.attempts, 'attempts'),
          askedAtMs: given(u.askedAtMs, 'askedAtMs'),
          answeredAtMs: given(u.answeredAtMs, 'answeredAtMs'),
        })
        .where(and(one, eq(u.status, p('statusBefore')), eq(u.askedAtMs, p('askedBeforeMs'))))
        .returning(),
    ),
    end: d.prepare(
      'undos_end',
      db
        .update(u)
        .set({ status: given(u.status, 'status'), answeredAtMs: given(u.answeredAtMs, 'answeredAtMs') })
        .where(and(one, eq(u.status, sql.raw("'asked'")), eq(u.askedAtMs, p('askedAtMs'))))
        .returning(),
    ),
    insertJob: d.prepare('undo_jobs_insert', db.insert(j).values(allGiven(getTableColumns(j)))),
    findJob: d.prepare(
      'undo_jobs_find',
      db
        .select()
        .from(j)
        .where(eq(j.id, p('id'))),
    ),
    jobsOf: d.prepare(
      'undo_jobs_of_incident',
      db
        .select()
        .from(j)
        .where(eq(j.incidentId, p('incidentId')))
        .orderBy(desc(j.createdAtMs)),
    ),
    running: d.prepare(
      'undo_jobs_running',
      db
        .select()
        .from(j)
        .where(eq(j.status, sql.raw("'running'")))
        .orderBy(asc(j.createdAtMs)),
    ),
    endJob: d.prepare(
      'undo_jobs_end',
      db
        .update(j)
        .set({ status: given(j.status, 'status'), endedAtMs: given(j.endedAtMs, 'atMs') })
        .where(and(eq(j.id, p('id')), eq(j.status, sql.raw("'running'"))))
        .returning(),
    ),
    insertItem: d.prepare('undo_items_insert', db.insert(i).values(allGiven(getTableColumns(i)))),
    waitingItems: d.prepare(
      'undo_items_waiting',
      db
        .select()
        .from(i)
        .where(and(eq(i.jobId, p('jobId')), eq(i.status, sql.raw("'waiting'"))))
        .limit(p('limit')),
    ),
    setItem: d.prepare(
      'undo_items_set',
      db
        .update(i)
        .set({ status: given(i.status, 'status'), atMs: given(i.atMs, 'atMs') })
        .where(
          and(
            eq(i.jobId, p('jobId')),
            eq(i.actionId, p('actionId')),
            eq(i.userId, p('userId')),
            // One that was on its way when its job was cancelled still says what became of it.
            sql`${i.status} in ('waiting', 'cancelled')`,
          ),
        ),
    ),
    endItems: d.prepare(
      'undo_items_end',
      db
        .update(i)
        .set({ status: given(i.status, 'status'), atMs: given(i.atMs, 'atMs') })
        .where(and(eq(i.jobId, p('jobId')), eq(i.status, sql.raw("'waiting'")))),
    ),
    countItems: d.prepare(
      'undo_items_count',
      db
        .select({ status: i.status, count: sql<number>`cast(count(*) as integer)`.as('count') })
        .from(i)
        .where(eq(i.jobId, p('jobId')))
        .groupBy(i.status),
    ),
    items: d.prepare(
      'undo_items_list',
      db
        .select()
        .from(i)
        .where(eq(i.jobId, p('jobId')))
        .orderBy(asc(i.actionId))
        .limit(p('limit')),
    ),
  }
}

export class UndoRepository extends Repository<ReturnType<typeof prepareUndos>> implements Undos {
  find(actionId: string, userId: string) {
    return first(this.run(this.q.find, { actionId, userId }))
  }

  begin(row: UndoRow) {
    return found(this.run(this.q.begin, row))
  }

  beginAgain(row: UndoRow, before: Pick<UndoRow, 'status' | 'askedAtMs'>) {
    return found(
      this.run(this.q.beginAgain, { ...row, statusBefore: before.status, askedBeforeMs: before.askedAtMs }),
    )
  }

  end(row: Pick<UndoRow, 'actionId' | 'userId' | 'askedAtMs'>, status: string, atMs: number) {
    const { actionId, userId, askedAtMs } = row
    return found(this.run(this.q.end, { actionId, userId, askedAtMs, status, answeredAtMs: atMs }))
  }

  insertJob(row: UndoJobRow) {
    return done(this.run(this.q.insertJob, row))
  }

  findJob(id: string) {
    return first(this.run(this.q.findJob, { id }))
  }

  jobsOf(incidentId: string) {
    return this.run(this.q.jobsOf, { incidentId })
  }

  running() {
    return this.run(this.q.running, {})
  }

  endJob(id: string, status: string, atMs: number) {
    return found(this.run(this.q.endJob, { id, status, atMs }))
  }

  insertItem(row: UndoItemRow) {
    return done(this.run(this.q.insertItem, row))
  }

  waitingItems(jobId: string, limit: number) {
    return this.run(this.q.waitingItems, { jobId, limit })
  }

  setItem(row: UndoItemRow) {
    return done(this.run(this.q.setItem, row))
  }

  endItems(jobId: string, status: string, atMs: number) {
    return done(this.run(this.q.endItems, { jobId, status, atMs }))
  }

  countItems(jobId: string) {
    return mapped(this.run(this.q.countItems, { jobId }), ({ status, count }) => ({
      status,
      count: Number(count),
    }))
  }

  items(jobId: string, limit: number) {
    return this.run(this.q.items, { jobId, limit })
  }
}
