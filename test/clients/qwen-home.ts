import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tempFolder } from '../support/temp-folder.ts'

/** A home of its own for Qwen Code, so that it finds nothing of whoever runs this, and a project it works in. */
export type QwenHome = { readonly home: string; readonly project: string; readonly env: NodeJS.ProcessEnv }

/** @param model the base URL of an OpenAI-compatible endpoint. */
export function createQwenHome(model: string, settings: object = {}): QwenHome {
  const home = tempFolder()
  const project = join(home, 'project')
  mkdirSync(join(home, '.qwen'), { mode: 0o700 })
  mkdirSync(project)
  writeFileSync(
    join(home, '.qwen', 'settings.json'),
    JSON.stringify({
      privacy: { usageStatisticsEnabled: false },
      general: { enableAutoUpdate: false },
      security: { auth: { selectedType: 'openai' } },
      ...settings,
    }),
  )
  return {
    home,
    project,
    env: {
      PATH: process.env.PATH,
      HOME: home,
      OPENAI_API_KEY: 'no-key-is-needed',
      OPENAI_BASE_URL: model,
      OPENAI_MODEL: 'qwen3-scripted',
      NO_COLOR: '1',
    },
  }
}

/** Puts tokens where `qwen` keeps what its own login in the browser gives it. */
export function keepMcpTokens(
  { home }: QwenHome,
  about: {
    readonly serverName: string
    readonly mcpUrl: string
    readonly tokenUrl: string
    readonly clientId: string
    readonly accessToken: string
    readonly refreshToken: string
    readonly expiresAtMs: number
  },
): void {
  const { serverName, mcpUrl, tokenUrl, clientId, accessToken, refreshToken, expiresAtMs } = about
  const token = { accessToken, refreshToken, tokenType: 'Bearer', scope: 'agent', expiresAt: expiresAtMs }
  const kept = [{ serverName, token, clientId, tokenUrl, mcpServerUrl: mcpUrl, updatedAt: Date.now() }]
  writeFileSync(join(home, '.qwen', 'mcp-oauth-tokens.json'), JSON.stringify(kept), { mode: 0o600 })
}
