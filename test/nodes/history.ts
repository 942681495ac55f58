/** What was seen of a platform from outside while it was under load, in the order it was seen. */
export type Seen =
  | { kind: 'asked'; at: number; call: string; user: string; key: string }
  | { kind: 'told'; at: number; call: string; outcome: Told }
  | { kind: 'called'; at: number; executionId: string; user: string; amountMinor: number; leafHash: string }
  | { kind: 'stopping'; at: number; stop: string; user: string }
  | { kind: 'stopped'; at: number; stop: string; unsettled: readonly string[] }

/** What an agent was told of one call; null members were not said. */
export type Told = {
  readonly effect: 'permit' | 'deny' | 'ask'
  readonly actionId: string
  /** succeeded, in_doubt and so on, as far as it was final. */
  readonly status: string
  readonly promise: { readonly eventId: string; readonly leafHash: string } | null
}

/** What is left when all is quiet. */
export type Ending = {
  readonly actions: readonly EndingAction[]
  /** Base64url leaf hashes by event id, of a log that verified. */
  readonly leaves: ReadonlyMap<string, string>
  readonly limitsMinor: ReadonlyMap<string, number>
}

export type EndingAction = {
  readonly actionId: string
  readonly user: string
  readonly key: string
  readonly status: string
  readonly heldMinor: number
  readonly capturedMinor: number
}

export type History = { readonly seen: readonly Seen[]; readonly ending: Ending }

/** Writes down what is seen, each with the next number: one process sees everything, so the order is the true one. */
export class Recorder {
  readonly seen: Seen[] = []

  note(event: Seen extends infer E ? (E extends Seen ? Omit<E, 'at'> : never) : never): void {
    this.seen.push({ ...event, at: this.seen.length } as Seen)
  }
}
