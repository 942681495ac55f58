import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { claimDataFolder, DataFolderBusy } from '../../src/store/data-folder.ts'
import { tempFolder } from '../support/temp-folder.ts'

const WORKER = fileURLToPath(new URL('data-folder-worker.ts', import.meta.url))
const NOW_MS = Date.parse('2026-09-21T08:00:00.000Z')

/** Starts another process that claims the folder, and waits for what it says. */
async function claimElsewhere(folder: string) {
  const worker = spawn(process.execPath, [WORKER, folder, String(NOW_MS)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void worker.kill('SIGKILL'))
  worker.stdout.setEncoding('utf8')
  const [said] = await once(worker.stdout, 'data')
  return {
    pid: worker.pid,
    said: String(said).trim(),
    async kill() {
      worker.kill('SIGKILL')
      await once(worker, 'close')
    },
  }
}

describe('a data folder', () => {
  it('is made for its owner alone, files included', () => {
    const folder = join(tempFolder(), 'data')
    const claim = claimDataFolder(folder, NOW_MS)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o077, name).toBe(0)
    expect(JSON.parse(readFileSync(join(folder, 'owner.json'), 'utf8'))).toEqual({
      pid: process.pid,
      startedAtMs: NOW_MS,
    })
    claim.release()
  })

  it('has one owner: a second start is told which process and since when', async () => {
    const folder = tempFolder()
    const owner = await claimElsewhere(folder)
    expect(owner.said).toBe('claimed')
    const busy = () => claimDataFolder(folder, NOW_MS + 1)
    expect(busy).toThrow(DataFolderBusy)
    expect(busy).toThrow(`process ${owner.pid} since 2026-09-21T08:00:00.000Z`)
    const third = await claimElsewhere(folder)
    expect(third.said).toContain(
      `DataFolderBusy: the data folder ${folder} is in use by process ${owner.pid}`,
    )
    await owner.kill()
  })

  it('stays with its owner when a second claim in the same process is refused', async () => {
    const folder = tempFolder()
    const claim = claimDataFolder(folder, NOW_MS)
    expect(() => claimDataFolder(folder, NOW_MS + 1)).toThrow(DataFolderBusy)
    expect((await claimElsewhere(folder)).said).toContain('DataFolderBusy')
    claim.release()
  })

  it('is free the moment its owner is killed, whatever it left behind', async () => {
    const folder = tempFolder()
    const owner = await claimElsewhere(folder)
    await owner.kill()
    expect(readdirSync(folder)).toContain('owner.json')
    const claim = claimDataFolder(folder, NOW_MS)
    const second = await claimElsewhere(folder)
    expect(second.said).toContain(`process ${process.pid} since`)
    claim.release()
  })

  it('can be claimed again after it was released, and not twice by one process', () => {
    const folder = tempFolder()
    const claim = claimDataFolder(folder, NOW_MS)
    expect(() => claimDataFolder(folder, NOW_MS)).toThrow(`process ${process.pid}`)
    claim.release()
    claim.release()
    expect(readdirSync(folder)).not.toContain('owner.json')
    claimDataFolder(folder, NOW_MS).release()
  })

  it('does not hide another fault behind a busy folder', () => {
    const folder = join(tempFolder(), 'file')
    claimDataFolder(folder, NOW_MS).release()
    expect(() => claimDataFolder(join(folder, 'owner.lock'), NOW_MS)).toThrow(/EEXIST|ENOTDIR/)
  })
})
