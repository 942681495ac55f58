import { describe, expect, it } from 'vitest'
import { deploymentIdOf } from '../../src/core/model/deployment-id.ts'
import { readAgentSettings } from '../../src/demo/agent-settings.ts'
import { checkEndpoint, type ModelEndpoint, regionOfHost } from '../../src/sdk/model-endpoint.ts'

const HOSTED: ModelEndpoint = {
  baseUrl: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1/',
  apiKey: 'sk-x',
  model: 'qwen3-max',
  deployment: {
    brand: 'Qwen',
    family: 'Qwen3',
    serviceAlias: 'qwen3-max',
    thinking: 'hybrid',
    path: {
      kind: 'hosted',
      provider: 'Model Studio',
      region: 'ap-southeast-1',
      scope: 'international',
      host: 'dashscope-intl.aliyuncs.com',
    },
  },
}
const OWN: ModelEndpoint = {
  baseUrl: 'http://127.0.0.1:8000/v1',
  model: 'Qwen/Qwen3-8B',
  deployment: {
    brand: 'Qwen',
    family: 'Qwen3',
    checkpoint: 'Qwen3-8B',
    thinking: 'off',
    path: { kind: 'self-hosted', runtime: 'vllm', repository: 'Qwen/Qwen3-8B', revision: 'main' },
  },
}

describe('a model endpoint', () => {
  it('has the address and the id of its deployment', () => {
    expect(checkEndpoint(HOSTED)).toEqual({
      url: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1/chat/completions',
      deploymentId: deploymentIdOf(HOSTED.deployment),
      thinking: {},
    })
  })

  it.each([
    ['another host', { ...HOSTED, baseUrl: 'https://dashscope.aliyuncs.com/compatible-mode/v1' }],
    [
      'another region than the host has',
      {
        ...HOSTED,
        deployment: { ...HOSTED.deployment, path: { ...HOSTED.deployment.path, region: 'cn-beijing' } },
      },
    ],
    [
      'a hosted service for one’s own',
      { ...OWN, baseUrl: 'https://ws-1.us-east-1.maas.aliyuncs.com/compatible-mode/v1' },
    ],
    ['a key over plain http', { ...OWN, baseUrl: 'http://models.example/v1', apiKey: 'sk-x' }],
    ['another way to think than is registered', { ...OWN, enableThinking: true }],
    ['another model by the back door', { ...OWN, extraBody: { model: 'other' } }],
    ['several answers', { ...OWN, extraBody: { n: 2 } }],
  ] as const)('is refused with %s', (_, endpoint) => {
    expect(() => checkEndpoint(endpoint as ModelEndpoint)).toThrow(TypeError)
  })

  it.each([
    [{ ...HOSTED, enableThinking: false }, { enable_thinking: false }],
    [OWN, { chat_template_kwargs: { enable_thinking: false } }],
    [{ ...HOSTED, deployment: { ...HOSTED.deployment, thinking: 'on' as const } }, { enable_thinking: true }],
  ])('says how to think in the member its runtime reads', (endpoint, members) => {
    expect(checkEndpoint(endpoint).thinking).toEqual(members)
  })

  it.each([
    ['dashscope.aliyuncs.com', 'cn-beijing'],
    ['cn-hongkong.dashscope.aliyuncs.com', 'cn-hongkong'],
    ['workspace-1.us-east-1.maas.aliyuncs.com', 'us-east-1'],
    ['us-east-1.maas.aliyuncs.com.attacker.example', undefined],
    ['127.0.0.1', undefined],
  ])('at %s keeps its data in %s', (host, region) => {
    expect(regionOfHost(host)).toBe(region)
  })
})

describe('the settings of the example agent', () => {
  const base = { OPENAI_BASE_URL: HOSTED.baseUrl, QWEN_RUNTIME: 'model-studio', QWEN_SCOPE: 'international' }

  it.each([
    ['qwen3-max', 'serviceAlias'],
    ['qwen3-max-2026-01-23', 'snapshot'],
  ])('describe %s by its %s', (model, member) => {
    const read = readAgentSettings({ ...base, OPENAI_MODEL: model })
    expect(read).toMatchObject({
      ok: true,
      settings: { endpoint: { deployment: { [member]: model, path: { region: 'ap-southeast-1' } } } },
    })
    if (read.ok) expect(() => checkEndpoint(read.settings.endpoint)).not.toThrow()
  })

  it.each([
    ['vllm', 'Qwen/Qwen3-8B', 'checkpoint'],
    ['ollama', 'qwen3:8b', 'serviceAlias'],
    ['lm-studio', 'qwen3-8b', 'serviceAlias'],
    ['llama.cpp', 'qwen3-8b-q4_k_m.gguf', 'serviceAlias'],
    ['sglang', 'Qwen/Qwen3-8B', 'checkpoint'],
  ])('describe what %s serves', (runtime, model, member) => {
    const read = readAgentSettings({
      OPENAI_BASE_URL: 'http://127.0.0.1:8000/v1',
      OPENAI_MODEL: model,
      QWEN_RUNTIME: runtime,
      QWEN_REPOSITORY: 'Qwen/Qwen3-8B',
    })
    expect(read).toMatchObject({ ok: true, settings: { endpoint: { deployment: { [member]: model } } } })
  })

  it.each([
    [{ ...base }, 'OPENAI_MODEL'],
    [{ ...base, OPENAI_MODEL: 'q', QWEN_SCOPE: undefined }, 'scope'],
    [{ ...base, OPENAI_MODEL: 'q', QWEN_RUNTIME: 'other' }, 'path.runtime'],
    [{ ...base, OPENAI_MODEL: 'q', QWEN_TOOL_STYLE: 'react' }, 'QWEN_TOOL_STYLE'],
    [{ ...base, OPENAI_MODEL: 'q', OPENAI_BASE_URL: 'models' }, 'OPENAI_BASE_URL'],
  ])('that are wrong are named', (env, name) => {
    expect(readAgentSettings(env)).toMatchObject({ ok: false, fault: expect.stringContaining(name) })
  })
})
