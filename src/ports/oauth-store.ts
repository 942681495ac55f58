import type { OauthClientRow, OauthRecordRow, TokenFamilyRow } from './oauth-rows.ts'

type Answer<T> = T | PromiseLike<T>

export type RecordRef = { model: string; recordKey: string }

export interface OauthRecords {
  find(ref: RecordRef): Answer<OauthRecordRow | undefined>
  findByUserCode(userCodeTag: string): Answer<OauthRecordRow | undefined>
  /** Writes a record; whether it was used stays as it is. */
  save(row: Omit<OauthRecordRow, 'consumedAtMs'>): Answer<void>
  /** Writes a record that must not be there yet. @returns whether it was not. */
  insert(row: Omit<OauthRecordRow, 'consumedAtMs'>): Answer<boolean>
  /** Uses a record up. @returns whether this was the first use. */
  consume(ref: RecordRef, atMs: number): Answer<boolean>
  remove(ref: RecordRef): Answer<void>
  removeFamily(familyId: string): Answer<void>
  expired(beforeMs: number, limit: number): Answer<RecordRef[]>
}

export interface OauthClients {
  find(id: string): Answer<OauthClientRow | undefined>
  insert(row: OauthClientRow): Answer<void>
  setConnected(id: string, atMs: number): Answer<void>
  /** Clients nobody said yes to and that registered before the time. */
  unconnected(beforeMs: number, limit: number): Answer<OauthClientRow[]>
  countUnconnected(): Answer<number>
  remove(id: string): Answer<void>
}

export interface TokenFamilies {
  find(id: string): Answer<TokenFamilyRow | undefined>
  list(userId: string, agentId: string): Answer<TokenFamilyRow[]>
  /** Whether the family whose tokens name this session has ended. */
  hasEnded(userId: string, sessionId: string): Answer<boolean>
  insert(row: TokenFamilyRow): Answer<void>
  end(id: string, atMs: number): Answer<void>
  /** Ends what still lives of one agent's. */
  endOfAgent(userId: string, agentId: string, atMs: number): Answer<void>
  /** Ends what still lives of all of the user's agents. */
  endOfUser(userId: string, atMs: number): Answer<void>
}

/** What a unit of work sees of the authorization server. */
export interface OauthTx {
  readonly oauthRecords: OauthRecords
  readonly oauthClients: OauthClients
  readonly tokenFamilies: TokenFamilies
}
