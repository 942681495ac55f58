import type { z } from 'zod'
import type { VerifiedCall } from '../../core/execution/verify-action-token.ts'
import type { JsonObject, JsonValue } from '../../core/json-value.ts'
import type { Amount } from '../../core/spending/budget.ts'
import type { Execution } from './execution-book.ts'
import type { SampleSkillName } from './sample-skill.ts'

/** What a handler may know besides its arguments and the skill's state. */
export interface CallContext {
  readonly call: VerifiedCall
  readonly nowMs: number
  /** What a misbehaving skill takes beyond the agreed amount; 0 unless a switch says otherwise. */
  readonly overchargeMinor: number
  /** True while a switch makes the skill say that it does not know the outcome yet. */
  readonly isUndecided: boolean
  /** An earlier execution of this user; never another user's. */
  findExecution(executionId: string): Execution | undefined
}

export type SkillAnswer<Event> =
  | {
      readonly kind: 'done'
      readonly result: JsonObject
      readonly events?: readonly Event[]
      /** What was really taken; goes into the receipt. */
      readonly taken?: Amount
      /** An execution that must never happen from now on, because this answer says that it did not. */
      readonly closes?: string
    }
  | { readonly kind: 'refused'; readonly code: string }
  /** The answer to a status call: its receipt speaks of that other execution. */
  | {
      readonly kind: 'status'
      readonly executionId: string
      readonly result: JsonObject
      readonly taken?: Amount
    }
  /** Nothing there; no refusal the manifest declares. */
  | { readonly kind: 'missing' }

export type ActionHandler<State, Event> = (
  args: JsonValue,
  state: State,
  context: CallContext,
) => SkillAnswer<Event>

/**
 * A sample skill: what it remembers, and what each action does. Handlers read the state and return events; only
 * `apply` changes it, so that a restart rebuilds the same state from the journal.
 */
export interface SkillDefinition<State, Event> {
  readonly skill: SampleSkillName
  readonly event: z.ZodType<Event>
  newState(): State
  apply(state: State, event: Event): void
  readonly handlers: Readonly<Record<string, ActionHandler<State, Event>>>
  /** Memory classes that a law makes it keep, whatever it is told, and the reason a person is shown. */
  readonly keeps?: { readonly classes: readonly string[]; readonly code: string; readonly why: string }
}

/** Makes handlers with typed arguments for one skill; the manifest's schema has checked them before. */
export function handlersOf<State, Event>() {
  return <Shape extends z.ZodType>(
    shape: Shape,
    run: (input: z.infer<Shape>, state: State, context: CallContext) => SkillAnswer<Event>,
  ): ActionHandler<State, Event> => {
    return (args, state, context) => run(shape.parse(args), state, context)
  }
}
