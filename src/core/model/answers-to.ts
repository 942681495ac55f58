import type { Deployment } from './deployment.ts'

const DATED = /^-\d{4}-\d{2}-\d{2}$/

/**
 * Whether an endpoint that returns this model name can be the deployment: the name is one of its own, or a dated
 * snapshot of an alias that moves. Names are compared exactly; an empty one says nothing and is none.
 *
 * @param returned the `model` of a chat completion. Self-hosted runtimes return the repository or a name they were
 *   started under, which a deployment has as its `serviceAlias`.
 */
export function answersTo(deployment: Deployment, returned: string): boolean {
  const { snapshot, checkpoint, serviceAlias, path } = deployment
  const own = [checkpoint, serviceAlias, ...(path.kind === 'self-hosted' ? [path.repository] : [])]
  // A fixed snapshot behind an alias that has moved on is what such a name is there to tell.
  const names = path.kind === 'hosted' && snapshot !== undefined ? [snapshot] : [snapshot, ...own]
  if (names.some((name) => name !== undefined && name === returned)) return true
  if (path.kind !== 'hosted' || snapshot !== undefined || serviceAlias === undefined) return false
  const stem = serviceAlias.replace(/-latest$/, '')
  return returned.startsWith(stem) && DATED.test(returned.slice(stem.length))
}
