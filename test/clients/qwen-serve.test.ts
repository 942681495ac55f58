import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { readAs } from '../../src/demo/api-client.ts'
import { type ClientWorld, linkIn, openClientWorld } from './client-world.ts'
import { findProgram, leftOut } from './find-program.ts'
import { startGuard } from './guard-process.ts'
import { startQwenServe } from './qwen-daemon.ts'
import { createQwenHome } from './qwen-home.ts'
import { startScriptedTurns, type Turn, toolCall } from './scripted-turns.ts'
import { tell } from './transcript.ts'

const qwen = findProgram('qwen')
if (!qwen) process.stderr.write(`Qwen Code under a guard: ${leftOut('qwen')}\n`)

it.skipIf(!qwen)(
  'qwen serve runs what the broker permits, and nothing else',
  async () => {
    const world = await openClientWorld()
    const model = await startScriptedTurns()
    const home = createQwenHome(model.baseUrl, { tools: { approvalMode: 'yolo' } })
    const { project } = home
    writeFileSync(join(project, 'notes.txt'), 'buy beans\n')
    const guard = await startGuard(world, {
      workspace: project,
      args: ['--allow-command', 'echo listed > listed.txt'],
    })
    expect(statSync(guard.connection).mode & 0o777).toBe(0o600)
    const daemon = await startQwenServe(qwen ?? '', home, {
      args: ['--external-tool-guard-mode=required', `--external-tool-guard-endpoint=${guard.origin}`],
      guardToken: guard.token,
    })
    const run = async (...turns: Turn[]) => {
      const updates = await daemon.prompt(model.script(...turns))
      for (const { tool, status, text } of updates) tell(`qwen serve: ${tool} ${status}: ${text}`)
      return updates
    }
    const shell = (command: string) =>
      toolCall('run_shell_command', { command, directory: project, is_background: false })
    const write = toolCall('write_file', { file_path: join(project, 'new.txt'), content: 'written\n' })

    const [read] = await run(toolCall('read_file', { file_path: join(project, 'notes.txt') }))
    expect(read).toMatchObject({ tool: 'read_file', status: 'completed', text: 'buy beans' })
    const [outside] = await run(toolCall('read_file', { file_path: '/etc/hostname' }))
    expect(outside).toMatchObject({ status: 'failed', text: expect.stringContaining('/path') })

    const [listed, other] = await run(shell('echo listed > listed.txt'), shell('echo listed > other.txt'))
    expect([listed?.status, other?.status]).toEqual(['completed', 'failed'])
    expect(inProject('listed.txt')).toBe('listed\n')
    expect(inProject('other.txt')).toBeNull()

    // Where it would run is nothing the guard is told, so a command that leaves its folder out is refused.
    const [somewhere] = await run(toolCall('run_shell_command', { command: 'echo listed > listed.txt' }))
    expect(somewhere).toMatchObject({ status: 'failed', text: expect.stringContaining(project) })

    const [asked] = await run(write)
    expect(asked).toMatchObject({ status: 'failed', text: expect.stringContaining('has to say yes') })
    await world.allow(linkIn(asked?.text ?? '', 'approvals'))
    expect(inProject('new.txt')).toBeNull()
    const [written, again] = await run(write, write)
    expect([written?.status, again?.status]).toEqual(['completed', 'failed'])
    expect(inProject('new.txt')).toBe('written\n')

    const [unknown] = await run(toolCall('save_memory', { fact: 'beans', scope: 'project' }))
    expect(unknown?.status ?? 'failed').toBe('failed')
    await tellLog(world)

    const [grant] = await world.grants()
    await world.revoke(grant?.grantId ?? '')
    const [cutOff] = await run(toolCall('read_file', { file_path: join(project, 'notes.txt') }))
    expect(cutOff).toMatchObject({ status: 'failed', text: expect.stringContaining('not allowed') })

    await world.running.stop({ withinMs: 100 })
    const [alone] = await run(toolCall('read_file', { file_path: join(project, 'notes.txt') }))
    expect(alone).toMatchObject({ status: 'failed', text: expect.stringContaining('cannot be reached') })
    tell(`The guard meanwhile:\n${guard.running.text()}`)

    function inProject(name: string): string | null {
      const file = join(project, name)
      return existsSync(file) ? readFileSync(file, 'utf8') : null
    }
  },
  400_000,
)

/** What stands in the user's activity of what a guard was permitted. */
async function tellLog({ user }: ClientWorld): Promise<void> {
  const { items } = readAs(await user.api.get('/v1/actions?limit=20'), 200, actionsShape)
  const permitted = items.filter(({ status }) => status === 'outcome_unknown')
  expect(permitted.map(({ action }) => action).sort()).toEqual([
    'read_file',
    'run_listed_command',
    'write_file',
  ])
  tell(`GET /v1/actions: ${items.map(({ action, status }) => `${action} ${status}`).join(', ')}`)
}

const actionsShape = z.looseObject({
  items: z.array(z.looseObject({ action: z.string(), status: z.string() })),
})
