import { argumentLabel, type ShownValue, shownValues } from '../core/grant/shown-values.ts'
import { speakerOf } from '../core/grant/speaker.ts'
import type { Locale } from '../core/grant/words.ts'
import type { Bilingual } from '../core/manifest/manifest.ts'
import type { ActionRow } from '../ports/rows.ts'
import type { Broker } from './broker.ts'
import { describeCleanUp } from './call-clean-up.ts'
import { undoUntilIn } from './undo-action.ts'
import { userZone } from './user-zone.ts'

/** Exactly what an undo will ask of a skill. */
export type UndoShown = {
  readonly row: ActionRow
  readonly zone: string
  readonly skillTitle: Bilingual
  readonly actionTitle: Bilingual
  /** The clean-up action the publisher declared for it. */
  readonly asks: Bilingual
  readonly sent: readonly ShownValue[]
  readonly untilMs: number
}

/** What would be asked to undo one action of the user's; undefined where it cannot be asked, or is not theirs. */
export async function showUndo(
  broker: Broker,
  { userId, actionId, locale }: { userId: string; actionId: string; locale: Locale },
): Promise<UndoShown | undefined> {
  const found = await broker.store.read(async (tx) => {
    const row = await tx.actions.find(actionId)
    if (!row || row.userId !== userId) return undefined
    const untilMs = await undoUntilIn(broker, tx, row)
    const isUndone = (await tx.undos.find(actionId, userId))?.status === 'undone'
    if (untilMs === null || tx.nowMs > untilMs || isUndone) return undefined
    return { row, untilMs, zone: await userZone(tx, userId) }
  })
  const asked = found && (await describeCleanUp(broker, found.row, 'undo'))
  if (!found || !asked) return undefined
  const { loaded, target, args } = asked
  const speaker = speakerOf(locale, found.zone)
  const label = (pointer: string) => argumentLabel(speaker, target, pointer)
  return {
    ...found,
    skillTitle: loaded.manifest.title,
    actionTitle: loaded.actions.get(found.row.action)?.declared.title ?? target.title,
    asks: target.title,
    sent: shownValues(speaker, args, label),
  }
}

/** Which of these actions can be undone now; one look for all of them. */
export function undoableNow(broker: Broker, rows: readonly ActionRow[]): Promise<ReadonlySet<string>> {
  return broker.store.read(async (tx) => {
    const ids = new Set<string>()
    for (const row of rows) {
      const untilMs = await undoUntilIn(broker, tx, row)
      if (untilMs === null || tx.nowMs > untilMs) continue
      if ((await tx.undos.find(row.id, row.userId))?.status !== 'undone') ids.add(row.id)
    }
    return ids
  })
}
