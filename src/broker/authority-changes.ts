/** Something was committed that agents or those who wait for an answer should look at again. */
export type AuthorityChange =
  | { readonly kind: 'grants'; readonly agentId: string }
  | { readonly kind: 'agent'; readonly agentId: string }
  | { readonly kind: 'skills' }
  /** A person answered this approval or consent request, or it was taken from the table. */
  | { readonly kind: 'answered'; readonly id: string }

type Listener = (change: AuthorityChange) => void

/**
 * Tells within this process what was committed. It is a hint to look, never an authority: other nodes' changes are not
 * told, so whoever listens also looks now and then by itself.
 */
export class AuthorityChanges {
  readonly #listeners = new Set<Listener>()

  /** Returns what ends the subscription. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  tell(change: AuthorityChange): void {
    for (const listener of this.#listeners) listener(change)
  }
}
