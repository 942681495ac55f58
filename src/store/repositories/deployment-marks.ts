import { eq, getTableColumns, sql } from 'drizzle-orm'
import type { DeploymentMarks } from '../../ports/epoch-store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, first, type Preparation, Repository } from './repository.ts'

export function prepareDeploymentMarks({ db, t: { deploymentMarks: m }, d }: Preparation) {
  return {
    find: d.prepare(
      'deployment_marks_find',
      db
        .select()
        .from(m)
        .where(eq(m.name, sql.placeholder('name'))),
    ),
    set: d.prepare(
      'deployment_marks_set',
      db
        .insert(m)
        .values(allGiven(getTableColumns(m)))
        .onConflictDoUpdate({ target: m.name, set: { value: given(m.value, 'value') } }),
    ),
  }
}

export class DeploymentMarkRepository
  extends Repository<ReturnType<typeof prepareDeploymentMarks>>
  implements DeploymentMarks
{
  find(name: string) {
    const row = first(this.run(this.q.find, { name }))
    return row instanceof Promise ? row.then((found) => found?.value) : row?.value
  }

  set(name: string, value: string) {
    return done(this.run(this.q.set, { name, value }))
  }
}
