import type { ErasureRow, LegalHoldRow, PartPlace, ResealedPart } from './erasure-rows.ts'

type Answer<T> = T | PromiseLike<T>

export interface Erasures {
  find(id: string): Answer<ErasureRow | undefined>
  /** The user's newest one of everything, whatever became of it; locked until the end. */
  newestOf(userId: string): Answer<ErasureRow | undefined>
  /** The user's erasures of one skill's or one agent's data, the newest first. */
  ofParts(userId: string, limit: number): Answer<ErasureRow[]>
  /** Forgets those: what they erased is erased with the account. */
  removeOfParts(userId: string): Answer<void>
  /** Those that have not ended and are to be looked at, the longest due first. */
  due(nowMs: number, limit: number): Answer<ErasureRow[]>
  /** Those that have not ended, the first due first. */
  open(limit: number): Answer<ErasureRow[]>
  insert(row: ErasureRow): Answer<void>
  /** Writes every field of a row that is there. */
  update(row: ErasureRow): Answer<void>
}

export interface LegalHolds {
  find(userId: string): Answer<LegalHoldRow | undefined>
  list(): Answer<LegalHoldRow[]>
  insert(row: LegalHoldRow): Answer<void>
  remove(userId: string): Answer<void>
}

/** The rows about one user, by what an erasure does with them. */
export interface PersonalRows {
  /** Whatever lets them, or an agent of theirs, in. */
  removeSignIn(userId: string): Answer<void>
  /** Agents, grants, questions, answers, limits, recipients and accounts. */
  removeAuthority(userId: string): Answer<void>
  /** Takes out of the ledger what a person or a call could be known by again; amounts, times and ids stay. */
  scrubLedger(userId: string): Answer<void>
  /** Channels and messages. */
  removeReach(userId: string): Answer<void>
  removeMessages(userId: string): Answer<void>
  /** How many messages are still to be sent. */
  unsentMessages(userId: string): Answer<number>
  /** Where sealed parts of all users lie, by event, after the one named: found without an index that every leaf would pay for. */
  partsAfter(eventId: string, limit: number): Answer<PartPlace[]>
  /** The skills that the user's actions were about. */
  skillsOf(userId: string): Answer<string[]>
  /** What is kept of one skill's actions for a user, but for what still grants something or is still open. */
  removeOfSkill(userId: string, skillId: string): Answer<void>
  /** What is kept of an agent, whose authority has ended; its line, which counters belong to, stays. */
  removeOfAgent(userId: string, agentId: string): Answer<void>
  /** Leaves nothing of a part but that it was there, and which erasure took it away. */
  markErased(place: PartPlace, erasureId: string): Answer<void>
  /** Keeps a part under another cell, unless it was erased meanwhile. */
  keepResealed(part: ResealedPart, fromCellId: string): Answer<void>
  /** The events of the user's actions. */
  actionEvents(
    userId: string,
  ): Answer<{ agentId: string; eventId: string | null; settleEventId: string | null }[]>
}

/** What a unit of work sees of erasures. */
export interface ErasureTx {
  readonly erasures: Erasures
  readonly legalHolds: LegalHolds
  readonly personalRows: PersonalRows
}
