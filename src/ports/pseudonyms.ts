/** Names made from secrets of the broker's: stable for who needs them, meaningless to everybody else. */
export interface Pseudonyms {
  /** Tells whether another node has the same secret, and nothing else of it. */
  checkValue(): string
  /** The key a skill sees: an HMAC over user, agent, caller's key and attempt, never what a model wrote. */
  brokerKey(userId: string, agentId: string, callerKey: string, attempt: number): string
  /** The user as this publisher knows them; two publishers cannot compare. */
  pairwiseUser(userId: string, publisherId: string): string
  /** Knows an account at an identity provider again without being able to read it. */
  accountTag(issuer: string, subject: string): string
  /** Knows a recipient again without being able to read it. */
  recipientTag(userId: string, recipient: string): string
  /** Tells a form that one session's person filled in from one that a link of somebody else's filled in for them. */
  formTag(sessionId: string, fields: string): string
  /** Finds a device by the short code a person types, which a plain hash would not hide. */
  userCodeTag(userCode: string): string
}
