import type { ApprovalRow, ConsentRequestRow } from '../ports/rows.ts'
import type { Answer, Page, Tx } from '../ports/store.ts'

const PAGE_SIZE = 200

/** Every consent request of the user that nobody has answered, expired ones among them. */
export async function everyOpenRequest(tx: Tx, userId: string): Promise<ConsentRequestRow[]> {
  const rows = await everyPage((page) => tx.consentRequests.list(userId, page))
  return rows.filter((row) => row.status === 'pending')
}

/** Every approval of the user in one of these statuses. */
export async function everyApproval(
  tx: Tx,
  userId: string,
  statuses: readonly string[],
): Promise<ApprovalRow[]> {
  const rows: ApprovalRow[] = []
  for (const status of statuses) {
    rows.push(...(await everyPage((page) => tx.approvals.list(userId, status, page))))
  }
  return rows
}

async function everyPage<Row extends { id: string; createdAtMs: number }>(
  list: (page: Page) => Answer<Row[]>,
): Promise<Row[]> {
  const rows: Row[] = []
  for (let before: Page['before'] = null; ; ) {
    const page = await list({ limit: PAGE_SIZE, before })
    rows.push(...page)
    const last = page.at(-1)
    if (!last || page.length < PAGE_SIZE) return rows
    before = { atMs: last.createdAtMs, id: last.id }
  }
}
