import { z } from 'zod'
import type { Manifest } from '../core/manifest/manifest.ts'
import { signManifest } from '../keys/manifest-signature.ts'
import { publicHalfOf } from '../keys/publisher-key-file.ts'
import { type ApiCaller, readAs } from './api-client.ts'
import type { SkillKeys } from './demo-keys.ts'
import { StoryFailed } from './story-failed.ts'

const REASON = 'Sample skill of the demo on this machine'

/**
 * Lets a publisher in, submits its signed manifest and approves it, as the operator does. A folder that was kept
 * knows the publisher already and gets the next version.
 */
export async function registerSkill(
  { operator, publisher }: { operator: ApiCaller; publisher: ApiCaller },
  sample: Manifest,
  keys: SkillKeys,
): Promise<{ title: string; version: number }> {
  const registered = await operator.post('/v1/operator/publishers', {
    publisher: sample.publisher,
    jwk: publicHalfOf(keys.publisherKey),
    reason: REASON,
  })
  if (registered.status !== 201 && registered.code !== 'already_registered') {
    throw new StoryFailed(`the publisher ${sample.publisher} was refused: ${registered.code}`)
  }
  const manifest = { ...sample, version: (await currentVersion(operator, sample.skill)) + 1 }
  const signature = await signManifest(manifest, keys.publisherKey)
  const submitted = await publisher.post('/v1/manifests', { manifest, signature })
  const { digest } = readAs(submitted, 201, z.object({ digest: z.string() }))
  const answer = await operator.post(`/v1/operator/manifests/${digest}/approve`, { reason: REASON })
  readAs(answer, 200, z.object({}))
  return { title: manifest.title.en, version: manifest.version }
}

async function currentVersion(operator: ApiCaller, skill: string): Promise<number> {
  const answer = await operator.get(`/v1/skills/${skill}`)
  if (answer.status === 404) return 0
  return readAs(answer, 200, z.object({ version: z.int() })).version
}
