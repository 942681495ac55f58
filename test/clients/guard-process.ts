import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'
import { type ClientWorld, linkIn } from './client-world.ts'
import { type Running, startProgram, untilPrinted } from './run-program.ts'

export const CLI = new URL('../../src/cli/main.ts', import.meta.url).pathname

export type GuardProcess = {
  readonly running: Running
  readonly origin: string
  readonly token: string
  /** The file the guard keeps its connection in. */
  readonly connection: string
}

/** Starts `countersign guard` as its user does, connects it by its code, and allows what it asks for. */
export async function startGuard(
  world: ClientWorld,
  about: { readonly workspace: string; readonly args?: readonly string[]; readonly home?: string },
): Promise<GuardProcess> {
  const home = about.home ?? tempFolder()
  const args = [
    'guard',
    '--broker',
    world.url,
    '--port',
    '0',
    '--workspace',
    about.workspace,
    ...(about.args ?? []),
  ]
  const running = startProgram(process.execPath, [CLI, ...args], {
    env: { PATH: process.env.PATH, HOME: home, NO_COLOR: '1' },
  })
  onTestFinished(() => running.stop())
  const isKnown = /qwen serve .*--external-tool-guard-endpoint=(\S+)/
  const first = await untilPrinted(running, new RegExp(`enter the code (\\S+)|${isKnown.source}`))
  if (first[1] !== undefined) await connectByCode(world, first[1])
  const endpoint = await untilPrinted(running, isKnown)
  const folder = join(home, '.config', 'countersign')
  return {
    running,
    origin: endpoint[1] ?? '',
    token: readFileSync(join(folder, 'guard-token'), 'utf8').trim(),
    connection: join(folder, `guard-localhost_${new URL(world.url).port}.json`),
  }
}

/** What a person does at the page of the broker: types the code, says yes, and reads what is asked for. */
async function connectByCode({ user, url, allow }: ClientWorld, userCode: string): Promise<void> {
  const { browser } = user
  const asked = await browser.submit(await browser.open(`${url}/device`), { user_code: userCode })
  const answered = await browser.submit(asked, { user_code: userCode, answer: 'yes' })
  await allow(linkIn(answered.url, 'consents'))
}
