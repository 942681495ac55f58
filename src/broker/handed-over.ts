import { ID_PREFIXES } from '../core/ids.ts'
import type { ActionRow } from '../ports/rows.ts'

/** Whether an enforcement point carries it out: that a process of the broker ends says nothing about it then. */
export function isHandedOver({ nodeId }: Pick<ActionRow, 'nodeId'>): boolean {
  return nodeId?.startsWith(`${ID_PREFIXES.enforcementPoint}_`) === true
}

/** Who carries a permit out in the broker's place, as its leaf says; null where the broker itself does. */
export function enforcerOf(row: Pick<ActionRow, 'nodeId' | 'status'>): string | null {
  return isHandedOver(row) || row.status === 'outcome_unknown' ? row.nodeId : null
}
