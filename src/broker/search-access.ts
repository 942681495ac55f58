import type { EnforcementPointRow } from '../ports/enforcement-store.ts'
import { type AccessQuestion, mayEnforce, RESOURCE_TYPE, SUBJECT_TYPES } from './access-question.ts'
import type { Broker } from './broker.ts'
import { wouldBePermitted } from './evaluate-access.ts'

/** One page of what was found, by id; `after` goes on behind it, and is null at the end. */
export type Found = { readonly ids: readonly string[]; readonly after: string | null }

/** Where to go on, and how many to find; 1 to 100. */
export type FindPage = { readonly after: string; readonly limit: number }

/** Users looked at for one answer: beyond that it goes on with the next page, found any or not. */
const LOOKED_AT_MOST = 200

/**
 * Finds the users for whom an evaluation would be true. Each is decided like a dry run: nothing is used up, nothing is
 * logged.
 */
export async function searchSubjects(
  broker: Broker,
  point: EnforcementPointRow,
  question: AccessQuestion,
  page: FindPage,
): Promise<Found> {
  broker.recentRefusals.count('search')
  const { subject, resource } = question
  const isKnown = subject.type === 'user' && resource.type === RESOURCE_TYPE
  return broker.store.read(async (tx) => {
    if (!isKnown || !(await mayEnforce(tx, point, resource.id))) return { ids: [], after: null }
    const users = await tx.grants.usersOfSkill(resource.id, page.after, LOOKED_AT_MOST)
    const ids: string[] = []
    for (const id of users) {
      if (!(await wouldBePermitted(broker, tx, point, { ...question, subject: { ...subject, id } }))) continue
      // One more than asked for says that there is another page.
      if (ids.length === page.limit) return { ids, after: ids.at(-1) ?? null }
      ids.push(id)
    }
    return { ids, after: users.length < LOOKED_AT_MOST ? null : (users.at(-1) ?? null) }
  })
}

/** Finds the skills on which an evaluation would be true, among those the point enforces for. */
export async function searchResources(
  broker: Broker,
  point: EnforcementPointRow,
  question: AccessQuestion,
  page: FindPage,
): Promise<Found> {
  broker.recentRefusals.count('search')
  const { resource, subject } = question
  return broker.store.read(async (tx) => {
    if (resource.type !== RESOURCE_TYPE) return { ids: [], after: null }
    const userId = subject.type === 'agent' ? (await tx.agents.find(subject.id))?.userId : subject.id
    const granted = (await tx.grants.live(userId ?? '')).map((grant) => grant.skillId)
    const skills = [...new Set(granted)].sort()
    return permittedAmong(skills, page, (id) =>
      wouldBePermitted(broker, tx, point, { ...question, resource: { ...resource, id } }),
    )
  })
}

/** Finds the actions of a skill on which an evaluation would be true with what is given. */
export async function searchActionNames(
  broker: Broker,
  point: EnforcementPointRow,
  question: Omit<AccessQuestion, 'action'>,
  page: FindPage,
): Promise<Found> {
  broker.recentRefusals.count('search')
  const { resource, subject } = question
  return broker.store.read(async (tx) => {
    const isKnown = resource.type === RESOURCE_TYPE && SUBJECT_TYPES.some((type) => type === subject.type)
    if (!isKnown || !(await mayEnforce(tx, point, resource.id))) return { ids: [], after: null }
    const digest = (await tx.skills.find(resource.id))?.currentDigest
    if (!digest) return { ids: [], after: null }
    const names = [...(await broker.manifests.load(tx, digest)).actions.keys()].sort()
    return permittedAmong(names, page, (name) =>
      wouldBePermitted(broker, tx, point, { ...question, action: { name } }),
    )
  })
}

async function permittedAmong(
  sorted: readonly string[],
  { after, limit }: FindPage,
  isPermitted: (id: string) => Promise<boolean>,
): Promise<Found> {
  const ids: string[] = []
  for (const id of sorted) {
    if (id <= after || !(await isPermitted(id))) continue
    if (ids.length === limit) return { ids, after: ids.at(-1) ?? null }
    ids.push(id)
  }
  return { ids, after: null }
}
