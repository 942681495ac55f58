/** What a notice asks a skill to delete of one person. */
export type NoticeScope = {
  /** 'all' is everything it keeps of the person, in whatever class. */
  readonly classes: 'all' | readonly string[]
  /** Only what these executions wrote; left out for whatever wrote it. */
  readonly executions?: readonly string[]
  /** Only what was to be kept until then at the latest. Unix milliseconds; left out for whatever its time. */
  readonly untilMs?: number
}

/** Whose duties are meant: those of one grant, one agent, one skill, or all of a user's. */
export type DutyScope =
  | { readonly kind: 'grant'; readonly id: string }
  | { readonly kind: 'agent'; readonly id: string }
  | { readonly kind: 'skill'; readonly id: string }
  | { readonly kind: 'everything' }

export const NOTICE_REASONS = ['expired', 'revoked', 'erased'] as const
export type NoticeReason = (typeof NOTICE_REASONS)[number]

/** More are told by several notices: a notice has to fit into what a skill reads at once. */
export const EXECUTIONS_MOST = 200
/** Likewise; the claims of a notice have no place for more. */
const CLASSES_MOST = 32

type Duty = { readonly actionId: string; readonly memoryClass: string; readonly untilMs: number }

/**
 * The scopes that ask for exactly these duties, with the duties each asks for.
 *
 * @param all everything there is of this person at this skill; when nothing of it is left out, the skill is asked for all.
 */
export function scopesOf<D extends Duty>(
  reason: NoticeReason,
  duties: readonly D[],
  all: number,
): { scope: NoticeScope; duties: readonly D[] }[] {
  if (duties.length === 0) return []
  if (reason !== 'expired' && duties.length === all) return [{ scope: { classes: 'all' }, duties }]
  return fewClasses(duties).flatMap((group) =>
    reason === 'expired' ? [untilLatest(group)] : byExecutions(group),
  )
}

/** Of more classes than one notice may name, which versions of a manifest can add up to, each goes into one. */
function fewClasses<D extends Duty>(duties: readonly D[]): (readonly D[])[] {
  const classes = classesOf(duties)
  const groups: (readonly D[])[] = []
  for (let from = 0; from < classes.length; from += CLASSES_MOST) {
    const some = new Set(classes.slice(from, from + CLASSES_MOST))
    groups.push(duties.filter(({ memoryClass }) => some.has(memoryClass)))
  }
  return groups
}

function untilLatest<D extends Duty>(duties: readonly D[]): { scope: NoticeScope; duties: readonly D[] } {
  const untilMs = Math.max(...duties.map((duty) => duty.untilMs))
  return { scope: { classes: classesOf(duties), untilMs }, duties }
}

function byExecutions<D extends Duty>(duties: readonly D[]): { scope: NoticeScope; duties: readonly D[] }[] {
  const executions = [...new Set(duties.map(({ actionId }) => actionId))]
  const scopes: { scope: NoticeScope; duties: readonly D[] }[] = []
  for (let from = 0; from < executions.length; from += EXECUTIONS_MOST) {
    const some = executions.slice(from, from + EXECUTIONS_MOST)
    const covered = duties.filter(({ actionId }) => some.includes(actionId))
    scopes.push({ scope: { classes: classesOf(covered), executions: some }, duties: covered })
  }
  return scopes
}

function classesOf(duties: readonly Duty[]): string[] {
  return [...new Set(duties.map(({ memoryClass }) => memoryClass))].sort()
}
