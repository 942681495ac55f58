import { z } from 'zod'

const name = z.string().min(1).max(120)

/** Where and how a hosted model runs: region is where data rests, scope is where inference may run. */
const hosted = z.strictObject({
  kind: z.literal('hosted'),
  provider: name,
  region: name,
  scope: name,
  host: z.string().min(1).max(253),
})

const selfHosted = z.strictObject({
  kind: z.literal('self-hosted'),
  runtime: z.enum(['vllm', 'sglang', 'ollama', 'lm-studio', 'llama.cpp', 'mlx']),
  repository: name,
  revision: name,
  checksum: name.optional(),
  quantization: name.optional(),
  licence: name.optional(),
})

/**
 * The exact model an agent says it runs on. "Qwen" is a brand, not a model: a deployment names either a
 * `snapshot`, which is fixed, or a `serviceAlias`, which moves and is shown as moving.
 */
export const deploymentShape = z
  .strictObject({
    brand: name,
    family: name,
    checkpoint: name.optional(),
    serviceAlias: name.optional(),
    snapshot: name.optional(),
    derivativeOf: name.optional(),
    thinking: z.enum(['on', 'off', 'hybrid']),
    path: z.discriminatedUnion('kind', [hosted, selfHosted]),
  })
  .refine((d) => [d.checkpoint, d.serviceAlias, d.snapshot].filter(Boolean).length >= 1, {
    message: 'name a checkpoint, a snapshot or a service alias',
  })
export type Deployment = z.infer<typeof deploymentShape>

/** A moving alias can point to another model tomorrow; pages mark it. */
export function movesByItself(deployment: Deployment): boolean {
  return (
    deployment.serviceAlias !== undefined &&
    deployment.snapshot === undefined &&
    deployment.checkpoint === undefined
  )
}
