import { describe, expect, it } from 'vitest'
import { answersTo } from '../../src/core/model/answers-to.ts'
import type { Deployment } from '../../src/core/model/deployment.ts'

const HOSTED: Deployment = {
  brand: 'Qwen',
  family: 'Qwen3',
  serviceAlias: 'qwen3-max',
  thinking: 'hybrid',
  path: {
    kind: 'hosted',
    provider: 'Model Studio',
    region: 'cn-beijing',
    scope: 'mainland',
    host: 'a.example',
  },
}
const OWN: Deployment = {
  brand: 'Qwen',
  family: 'Qwen3',
  checkpoint: 'Qwen3-30B-A3B-Instruct-2507',
  serviceAlias: 'qwen3:30b-a3b',
  thinking: 'off',
  path: {
    kind: 'self-hosted',
    runtime: 'ollama',
    repository: 'Qwen/Qwen3-30B-A3B-Instruct-2507',
    revision: 'main',
  },
}

describe('a deployment', () => {
  it.each([
    ['the alias it is registered under', HOSTED, 'qwen3-max', true],
    ['a dated snapshot of that alias', HOSTED, 'qwen3-max-2026-01-23', true],
    [
      'a dated snapshot of an alias ending in -latest',
      { ...HOSTED, serviceAlias: 'qwen-plus-latest' },
      'qwen-plus-2026-01-25',
      true,
    ],
    ['another model that begins alike', HOSTED, 'qwen3-max-preview', false],
    ['a date with something after it', HOSTED, 'qwen3-max-2026-01-23-us', false],
    ['another casing', HOSTED, 'Qwen3-Max', false],
    ['no name at all', HOSTED, '', false],
    ['its snapshot', { ...HOSTED, snapshot: 'qwen3-max-2026-01-23' }, 'qwen3-max-2026-01-23', true],
    [
      'another snapshot, though the alias fits',
      { ...HOSTED, snapshot: 'qwen3-max-2026-01-23' },
      'qwen3-max-2026-09-09',
      false,
    ],
    [
      'only the alias, though a snapshot is registered',
      { ...HOSTED, snapshot: 'qwen3-max-2026-01-23' },
      'qwen3-max',
      false,
    ],
    ['its repository, as vLLM returns it', OWN, 'Qwen/Qwen3-30B-A3B-Instruct-2507', true],
    ['the name it was started under', OWN, 'qwen3:30b-a3b', true],
    ['its checkpoint', OWN, 'Qwen3-30B-A3B-Instruct-2507', true],
    ['another size of the same', OWN, 'qwen3:8b', false],
    ['a date after its own name', OWN, 'qwen3:30b-a3b-2026-01-23', false],
  ] as const)('told by %s', (_, deployment, returned, fits) => {
    expect(answersTo(deployment, returned)).toBe(fits)
  })
})
