/** Where a person is sent to, and what has to be remembered until they come back. */
export type ProviderRequest = {
  readonly url: string
  /** Random, comes back with the person; names the ceremony. */
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
}

export type ProviderAnswer =
  | {
      readonly kind: 'identified'
      readonly issuer: string
      readonly subject: string
      /** When the person last proved to the provider who they are; null where it did not say. Unix milliseconds. */
      readonly authenticatedAtMs: number | null
    }
  /** The person or the provider said no, or the answer does not hold. */
  | { readonly kind: 'refused'; readonly code: string }

/** The platform's own OpenID Connect provider (code flow with PKCE, state and nonce). */
export interface IdentityProvider {
  /** Origins a person is sent to, which a page has to allow its forms to lead to. */
  readonly origins: readonly string[]
  /**
   * @param fresh asks for a new proof of who it is (`prompt=login`, `max_age=0`), for a step-up.
   * @throws (rejects) when the provider cannot be discovered.
   */
  begin(fresh: boolean): Promise<ProviderRequest>
  /** @param query what the person came back with, `?` and all. */
  finish(query: string, request: Omit<ProviderRequest, 'url'>): Promise<ProviderAnswer>
}
