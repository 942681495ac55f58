import { z } from 'zod'
import type { Broker } from '../broker/broker.ts'
import { listSkills, showSkill } from '../broker/list-skills.ts'
import { pathId } from './path-id.ts'
import { problem } from './problem.ts'
import { type Route, route } from './route.ts'

const summaryShape = z.strictObject({
  skill: z.string(),
  publisher: z.string(),
  version: z.int(),
  manifestDigest: z.string(),
  title: z.looseObject({ en: z.string() }),
})

export function skillRoutes(broker: Broker): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/skills',
      callers: ['agent', 'user', 'operator'],
      tag: 'Skills',
      summary: 'List the approved skills',
      responses: {
        200: { description: 'All skills.', shape: z.strictObject({ items: z.array(summaryShape) }) },
      },
      problems: [],
      async handle() {
        return { status: 200, body: { items: await listSkills(broker) } }
      },
    }),
    route({
      method: 'get',
      path: '/v1/skills/{id}',
      callers: ['agent', 'user', 'operator'],
      tag: 'Skills',
      summary: "Show a skill's signed manifest",
      params: pathId,
      responses: {
        200: {
          description: 'The manifest with its signature.',
          shape: summaryShape.extend({ manifest: z.looseObject({}), signature: z.string() }),
        },
      },
      problems: ['not_found'],
      async handle({ params }) {
        const shown = await showSkill(broker, params.id)
        return shown ? { status: 200, body: shown } : problem('not_found')
      },
    }),
  ]
}
