import { taggedDigest } from '../canonical-json.ts'
import { plainJson } from '../manifest/manifest-change.ts'
import type { Deployment } from './deployment.ts'

/**
 * The id of a deployment is the digest of its description: whoever registers the same model on the same path gets
 * the same id, so that an operator can freeze it wherever it is used.
 */
export function deploymentIdOf(deployment: Deployment): string {
  return `dep_${taggedDigest('countersign/v1/deployment', plainJson(deployment))}`
}
