import type { Broker } from './broker.ts'
import { type ErasureView, listPartErasures } from './show-erasure.ts'

export type ErasableOfUser = {
  /** Skills that something was asked of for this user. */
  readonly skills: readonly string[]
  /** Agents the user ever connected; the name of one that was erased is empty. */
  readonly agents: readonly { readonly id: string; readonly name: string }[]
  /** Erasures of such parts that were asked for, the newest first. */
  readonly asked: readonly ErasureView[]
}

/** What a user can have erased by itself, and what they asked for before. */
export async function listErasableParts(
  broker: Broker,
  { userId }: { userId: string },
): Promise<ErasableOfUser> {
  const { skills, agents } = await broker.store.read(async (tx) => ({
    skills: await tx.personalRows.skillsOf(userId),
    agents: (await tx.agents.list(userId)).map(({ id, name }) => ({ id, name })),
  }))
  return { skills, agents, asked: await listPartErasures(broker, { userId }) }
}
