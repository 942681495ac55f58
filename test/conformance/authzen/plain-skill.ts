import type { Manifest, ManifestAction } from '../../../src/core/manifest/manifest.ts'
import { sampleManifest } from '../../support/sample-manifest.ts'

const COFFEE = sampleManifest('coffee.order')
const both = (text: string) => ({ en: text, zh: text })

type Schema = ManifestAction['input']

/** One argument's schema, with what every field of a manifest has. */
export function argument(schema: Schema): Schema {
  return { ...schema, 'x-title': both('Field'), 'x-category': 'store' }
}

/** A skill with these actions, each with the arguments given; none of them is required. */
export function skillOf(skill: string, actions: Readonly<Record<string, Schema>>): Manifest {
  const [template] = COFFEE.actions.filter(({ name }) => name === 'get_menu')
  if (!template) throw new Error('the sample has no get_menu')
  return {
    ...COFFEE,
    skill,
    actions: Object.entries(actions).map(
      ([name, properties]): ManifestAction => ({
        ...template,
        name,
        title: both(name),
        path: `/${name}`,
        effects: [name.includes('read') ? 'read' : 'state-change'],
        input: {
          type: 'object',
          properties: { ...properties },
          required: [],
          additionalProperties: false,
          'x-category': 'store',
        },
      }),
    ),
  }
}
