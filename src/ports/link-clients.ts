/** The broker's OAuth client at a skill; without a secret it is a public client, which PKCE protects. */
export type LinkClient = { readonly clientId: string; readonly clientSecret?: string | undefined }

/** As whom the broker signs users in at skills, from configuration. */
export interface LinkClients {
  /** Undefined where the operator registered none: then nobody can link there. */
  find(skillId: string, link: string): LinkClient | undefined
}
