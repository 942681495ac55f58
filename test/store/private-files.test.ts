import { chmodSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openCellStore } from '../../src/keys/cell-store.ts'
import { claimDataFolder } from '../../src/store/data-folder.ts'
import { openTestStore } from '../support/sqlite-file.ts'
import { tempFolder } from '../support/temp-folder.ts'

const NOW_MS = Date.parse('2026-09-21T08:00:00.000Z')

/** Opens all that lies in a data folder and writes to it, as a running broker does. */
async function openAll(folder: string): Promise<{ close(): Promise<void> }> {
  const claim = claimDataFolder(folder, NOW_MS)
  const cells = openCellStore({
    file: join(folder, 'cells.sqlite'),
    kekFile: join(folder, 'kek.json'),
    nowMs: NOW_MS,
  })
  await cells.ensure([{ userId: 'usr_1', skillId: 'tea.order', part: 'body', expiryDay: 21_000 }])
  const store = openTestStore(join(folder, 'broker.sqlite'), NOW_MS)
  await store.transaction(async (tx) =>
    tx.log.saveCheckpoint({ ...(await store.treeHead()), note: 'x', atMs: 0 }),
  )
  return {
    async close() {
      await store.close()
      await cells.close()
      claim.release()
    },
  }
}

/** The files anybody but their owner may open. */
function openToOthers(folder: string): string[] {
  return readdirSync(folder).filter((name) => (statSync(join(folder, name)).mode & 0o777) !== 0o600)
}

describe.skipIf(process.platform === 'win32')('the files of a data folder', () => {
  it('are readable by their owner alone, whatever the umask', async () => {
    const before = process.umask(0)
    onTestFinished(() => void process.umask(before))
    const folder = tempFolder()
    const opened = await openAll(folder)
    const names = ['broker', 'cells'].flatMap((name) =>
      ['', '-wal', '-shm'].map((end) => `${name}.sqlite${end}`),
    )
    expect(readdirSync(folder)).toEqual(expect.arrayContaining([...names, 'owner.lock', 'owner.json']))
    expect(openToOthers(folder)).toEqual([])
    await opened.close()
    expect(openToOthers(folder)).toEqual([])
  })

  it('are closed to others again when something opened them', async () => {
    const folder = tempFolder()
    await (await openAll(folder)).close()
    for (const end of ['-wal', '-shm']) writeFileSync(join(folder, `broker.sqlite${end}`), '')
    for (const name of readdirSync(folder).filter((it) => it !== 'kek.json'))
      chmodSync(join(folder, name), 0o644)
    const opened = await openAll(folder)
    expect(openToOthers(folder)).toEqual([])
    await opened.close()
  })
})
