import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openCellStore } from '../../src/keys/cell-store.ts'
import { backUpKeys, KeyBackupRefused, type KeyPlaces, restoreKeys } from '../../src/keys/key-backup.ts'
import { openKeyFolder } from '../../src/keys/key-file.ts'
import { openPseudonyms } from '../../src/keys/pseudonyms.ts'
import type { CellName, Cells } from '../../src/ports/cells.ts'
import { tempFolder } from '../support/temp-folder.ts'

const NOW_MS = Date.UTC(2026, 10, 23)
const FAR = Math.floor(Date.now() / 86_400_000) + 400
const name = (userId: string, expiryDay = FAR): CellName => ({
  userId,
  skillId: 's',
  part: 'body',
  expiryDay,
})

let folder: string
let places: KeyPlaces
let cells: Cells

const placesIn = (at: string): KeyPlaces => ({
  cells: join(at, 'cells.sqlite'),
  keys: join(at, 'keys'),
  pseudonyms: join(at, 'pseudonyms.secret'),
})

beforeEach(() => {
  folder = tempFolder()
  places = placesIn(folder)
  cells = openCellStore({
    file: join(folder, 'cells.sqlite'),
    kekFile: join(folder, 'kek.json'),
    nowMs: NOW_MS,
  })
  openKeyFolder(places.keys, NOW_MS)
  openPseudonyms(places.pseudonyms, true)
})
afterEach(() => cells.close())

describe('a backup of keys', () => {
  it('holds key store, broker keys and pseudonyms while they are in use, and no key-encryption key', async () => {
    const [cell] = await cells.ensure([name('alice')])
    if (!cell) throw new Error('no cell was made')
    const to = join(folder, 'backup')
    const done = await backUpKeys(places, to, NOW_MS)
    expect(done.keyStore).toEqual(await cells.mark())
    expect(existsSync(join(to, 'kek.json'))).toBe(false)
    expect(statSync(to).mode & 0o777).toBe(0o700)
    expect(statSync(join(to, 'cells.sqlite')).mode & 0o777).toBe(0o600)
    const kek = JSON.parse(readFileSync(join(folder, 'kek.json'), 'utf8'))
    for (const file of ['cells.sqlite', 'pseudonyms.secret', 'manifest.json'])
      expect(readFileSync(join(to, file)).includes(kek.epochs[0].keyBase64)).toBe(false)

    const into = join(folder, 'into')
    await restoreKeys(to, placesIn(into), await cells.mark())
    const again = openCellStore({
      file: join(into, 'cells.sqlite'),
      kekFile: join(folder, 'kek.json'),
      nowMs: NOW_MS,
      mayCreate: false,
    })
    expect((await again.find(cell.cellId))?.equals(cell.key)).toBe(true)
    expect(await again.mark()).toEqual(await cells.mark())
    await again.close()
    expect(openKeyFolder(placesIn(into).keys, NOW_MS, false).published.length).toBeGreaterThan(0)
  })

  it('never overwrites, neither a backup nor keys that are there', async () => {
    const to = join(folder, 'backup')
    await backUpKeys(places, to, NOW_MS)
    await expect(backUpKeys(places, to, NOW_MS)).rejects.toThrow(KeyBackupRefused)
    await expect(restoreKeys(to, places, undefined)).rejects.toThrow('never put back over keys')
  })

  it('from before an erasure is refused, one from before something expired is not', async () => {
    const [alice, old] = await cells.ensure([name('alice'), name('old', 1)])
    const to = join(folder, 'backup')
    await backUpKeys(places, to, NOW_MS)
    await cells.destroy([old?.cellId ?? ''])
    await restoreKeys(to, placesIn(join(folder, 'first')), await cells.mark())
    await cells.destroy([alice?.cellId ?? '', 'cel_unknown'])
    expect((await cells.mark()).generation).toBe(1)
    await expect(restoreKeys(to, placesIn(join(folder, 'second')), await cells.mark())).rejects.toThrow(
      'would come back',
    )
    expect(existsSync(join(folder, 'second'))).toBe(false)
  })

  it.each(['cells.sqlite', 'pseudonyms.secret', 'manifest.json'])(
    'with a flipped byte in %s is refused',
    async (file) => {
      const to = join(folder, 'backup')
      await backUpKeys(places, to, NOW_MS)
      const bytes = readFileSync(join(to, file))
      bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 1
      writeFileSync(join(to, file), bytes)
      await expect(restoreKeys(to, placesIn(join(folder, 'into')), undefined)).rejects.toThrow(
        KeyBackupRefused,
      )
      expect(existsSync(join(folder, 'into'))).toBe(false)
    },
  )
})
