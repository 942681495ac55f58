import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkRegister } from '../../src/broker/check-register.ts'
import { flushCounts } from '../../src/broker/flush-counts.ts'
import { openCheckpointPublisher, RegisterConflict } from '../../src/broker/publish-checkpoint.ts'
import { verifyCheckpoint } from '../../src/core/merkle/checkpoint.ts'
import { noteKey } from '../../src/core/merkle/note-key.ts'
import type { CheckpointRegister, RegisterEntry } from '../../src/ports/checkpoint-register.ts'
import { openCheckpointRegisterFile, RegisterFileBroken } from '../../src/store/checkpoint-register-file.ts'
import { appendLeaves } from '../support/append-leaves.ts'
import { createTestBroker, TEST_SETTINGS, type TestBroker } from '../support/test-broker.ts'

const ORIGIN = TEST_SETTINGS.logOrigin
let test: TestBroker
let file: string
let register: CheckpointRegister

beforeEach(async () => {
  test = await createTestBroker()
  file = join(test.folder, 'checkpoint-register.json')
  register = openCheckpointRegisterFile(file)
})
afterEach(() => test.close())

const logKey = () => noteKey(ORIGIN, Buffer.from(test.signer.currentKey('log').x, 'base64url'))
const stored = () => test.broker.store.read(async (tx) => tx.log.newestCheckpoint())
const kindOf = async () => (await checkRegister(test.broker, register)).kind

/** A register that notes the order of things and can be told to fail. */
function watched(steps: string[], inner: CheckpointRegister, fail?: 'before' | 'after'): CheckpointRegister {
  return {
    read: () => inner.read(),
    async advance(from, to) {
      steps.push('register')
      if (fail === 'before') throw new Error('disk full')
      const done = await inner.advance(from, to)
      if (fail === 'after') throw new Error('killed')
      return done
    },
  }
}

describe('publishing a checkpoint', () => {
  it('signs the durable head under the log name, and keeps the note', async () => {
    await appendLeaves(test.broker, 3)
    const publisher = openCheckpointPublisher(test.broker, register)
    const { note, treeSize } = await publisher.publishNow()
    expect(treeSize).toBe(3)
    expect(verifyCheckpoint(note, logKey())).toMatchObject({ kind: 'verified', checkpoint: { treeSize: 3 } })
    expect((await stored())?.note).toBe(note)
    expect(publisher.newest()?.note).toBe(note)
    expect(await register.read()).toMatchObject({ origin: ORIGIN, treeSize: 3 })
  })

  it('writes the register before anything is signed, and signs before anything is stored', async () => {
    await appendLeaves(test.broker, 1)
    const steps: string[] = []
    const { signer } = test.broker
    const broker = {
      ...test.broker,
      signer: {
        ...signer,
        async signBytes(purpose: 'log', bytes: Uint8Array) {
          steps.push((await stored()) ? 'stored too early' : 'signed')
          return signer.signBytes(purpose, bytes)
        },
      },
    }
    await openCheckpointPublisher(broker, watched(steps, register)).publishNow()
    expect(steps).toEqual(['register', 'signed'])
  })

  it('signs nothing while the register cannot be written, and goes on afterwards', async () => {
    await appendLeaves(test.broker, 1)
    const broken = openCheckpointPublisher(test.broker, watched([], register, 'before'))
    await expect(broken.publishNow()).rejects.toThrow('disk full')
    expect([broken.newest(), await stored(), broken.isHealthy()]).toEqual([undefined, undefined, true])
    expect((await openCheckpointPublisher(test.broker, register).publishNow()).treeSize).toBe(1)
  })

  it('does nothing while the log does not grow', async () => {
    await appendLeaves(test.broker, 2)
    const steps: string[] = []
    const publisher = openCheckpointPublisher(test.broker, watched(steps, register))
    const first = await publisher.publishNow()
    expect(await publisher.publishNow()).toBe(first)
    expect(steps).toEqual(['register'])
  })

  it('publishes one at a time, and whoever comes while one runs gets a head that is at least as new', async () => {
    await appendLeaves(test.broker, 1)
    const publisher = openCheckpointPublisher(test.broker, register)
    const first = publisher.publishNow()
    await appendLeaves(test.broker, 1)
    const [second, third] = [publisher.publishNow(), publisher.publishNow()]
    expect((await first).treeSize).toBeGreaterThanOrEqual(1)
    expect((await second).treeSize).toBe(2)
    expect((await third).treeSize).toBe(2)
  })

  it('publishes the empty log too', async () => {
    const publisher = openCheckpointPublisher(test.broker, register)
    expect((await publisher.publishNow()).treeSize).toBe(0)
    await appendLeaves(test.broker, 1)
    expect((await publisher.publishNow()).treeSize).toBe(1)
  })

  it('stops for good when somebody else moved the register', async () => {
    await appendLeaves(test.broker, 1)
    const publisher = openCheckpointPublisher(test.broker, register)
    const before = await publisher.publishNow()
    await register.advance(await register.read(), {
      origin: ORIGIN,
      treeSize: 50,
      rootHash: Buffer.alloc(32, 1),
    })
    await appendLeaves(test.broker, 1)
    await expect(publisher.publishNow()).rejects.toThrow(RegisterConflict)
    expect(publisher.isHealthy()).toBe(false)
    expect(publisher.newest()).toBe(before)
    expect((await stored())?.treeSize).toBe(1)
    await publisher.stop()
  })

  it('ends with a checkpoint over the last counts', async () => {
    const publisher = openCheckpointPublisher(test.broker, register)
    publisher.start()
    test.broker.recentRefusals.count('malformed_input')
    await publisher.stop()
    expect(publisher.newest()?.treeSize).toBe(1)
    expect(await test.lastLeaf('counted')).toMatchObject({ outcome: 'counted' })
  })
})

describe('starting with a register', () => {
  it('begins where there is neither a log nor a register', async () => {
    expect(await kindOf()).toBe('ok')
  })

  it('goes on after a crash between the register and the signature, whether or not the log grew since', async () => {
    await appendLeaves(test.broker, 3)
    const crashed = openCheckpointPublisher(test.broker, watched([], register, 'after'))
    await expect(crashed.publishNow()).rejects.toThrow('killed')
    expect(await stored()).toBeUndefined()

    test = await test.reopen()
    expect(await kindOf()).toBe('ok')
    expect((await openCheckpointPublisher(test.broker, register).publishNow()).treeSize).toBe(3)
    await appendLeaves(test.broker, 2)
    expect(await kindOf()).toBe('ok')
    expect((await openCheckpointPublisher(test.broker, register).publishNow()).treeSize).toBe(5)
  })

  it('publishes the same note again after a restart', async () => {
    await appendLeaves(test.broker, 2)
    const { note } = await openCheckpointPublisher(test.broker, register).publishNow()
    test = await test.reopen()
    expect((await openCheckpointPublisher(test.broker, register).publishNow()).note).toBe(note)
  })

  it('refuses when the register is ahead: the database was put back to an older state', async () => {
    await appendLeaves(test.broker, 3)
    const ahead: RegisterEntry = { origin: ORIGIN, treeSize: 4, rootHash: Buffer.alloc(32, 9) }
    await register.advance(undefined, ahead)
    const check = await checkRegister(test.broker, register)
    expect(check.kind).toBe('log_behind')
    expect(check.kind === 'ok' ? '' : check.message).toContain('Put the newest database back')
    await expect(openCheckpointPublisher(test.broker, register).publishNow()).rejects.toThrow(
      RegisterConflict,
    )
    expect(await stored()).toBeUndefined()
  })

  it('refuses a log that holds other leaves than those that were published, however far it grew', async () => {
    const other = await createTestBroker()
    await appendLeaves(other.broker, 300)
    const head = await other.broker.store.treeHead()
    await other.close()
    await register.advance(undefined, { origin: ORIGIN, ...head })
    await appendLeaves(test.broker, 300)
    expect(await kindOf()).toBe('log_forked')
    await expect(openCheckpointPublisher(test.broker, register).publishNow()).rejects.toThrow(
      RegisterConflict,
    )
    await appendLeaves(test.broker, 10)
    expect(await kindOf()).toBe('log_forked')
  })

  it('accepts a register at every size the log went through', async () => {
    const heads: RegisterEntry[] = []
    for (let i = 0; i < 9; i += 1) {
      heads.push({ origin: ORIGIN, ...(await test.broker.store.treeHead()) })
      await appendLeaves(test.broker, 33)
    }
    for (const head of heads) {
      rmSync(file, { force: true })
      await register.advance(undefined, head)
      expect([head.treeSize, await kindOf()]).toEqual([head.treeSize, 'ok'])
    }
  })

  it('refuses the register of another log, and one that is gone although checkpoints were published', async () => {
    await appendLeaves(test.broker, 1)
    await openCheckpointPublisher(test.broker, register).publishNow()
    const line = readFileSync(file, 'utf8')
    rmSync(file)
    const gone = await checkRegister(test.broker, register)
    expect(gone.kind).toBe('register_missing')
    // The message holds the very line that mends it.
    expect(gone.kind === 'ok' ? '' : gone.message).toContain(line.trim())
    writeFileSync(file, line.replace(ORIGIN, 'other.example/log'))
    expect(await kindOf()).toBe('other_log')
  })
})

describe('the register file', () => {
  const entry = (treeSize: number, fill = treeSize): RegisterEntry => ({
    origin: ORIGIN,
    treeSize,
    rootHash: Buffer.alloc(32, fill),
  })

  it('is replaced only by whoever knows what is in it', async () => {
    expect(await register.advance(entry(1), entry(2))).toBe(false)
    expect(await register.advance(undefined, entry(1))).toBe(true)
    expect(await register.advance(undefined, entry(2))).toBe(false)
    expect(await register.advance(entry(1, 7), entry(2))).toBe(false)
    expect(await register.read()).toEqual(entry(1))
    expect(await register.advance(entry(1), entry(2))).toBe(true)
  })

  it('never goes back, stands still or changes its log', async () => {
    await register.advance(undefined, entry(2))
    for (const to of [entry(1), entry(2, 9), { ...entry(3), origin: 'other' }])
      await expect(register.advance(entry(2), to)).rejects.toThrow(RangeError)
  })

  it('is not taken for an empty one when it cannot be read', async () => {
    for (const text of ['', '{', '{}', JSON.stringify({ origin: ORIGIN, treeSize: 1, rootHash: 'AAAA' })]) {
      writeFileSync(file, text)
      await expect(register.read()).rejects.toThrow(RegisterFileBroken)
    }
    rmSync(file)
    mkdirSync(file)
    await expect(register.read()).rejects.toThrow()
  })

  it('is not disturbed by what a crash left beside it', async () => {
    writeFileSync(`${file}.new`, 'half a li')
    expect(await register.advance(undefined, entry(1))).toBe(true)
    expect(await register.read()).toEqual(entry(1))
  })
})

describe('counts', () => {
  it('become one leaf, and no leaf when there are none', async () => {
    expect(await flushCounts(test.broker)).toBe(false)
    for (let i = 0; i < 3; i += 1) test.broker.recentRefusals.count('rate_limited')
    test.broker.recentRefusals.count('dry_run')
    expect(await flushCounts(test.broker)).toBe(true)
    expect(await flushCounts(test.broker)).toBe(false)
    const leaf = await test.lastLeaf('counted')
    expect(await test.openPart(leaf.eventId, 'core')).toEqual({ dry_run: 1, rate_limited: 3 })
    expect(await test.leaves()).toHaveLength(1)
  })

  it('that could not be written are in the next leaf', async () => {
    test.broker.recentRefusals.count('rate_limited')
    const failing = {
      ...test.broker,
      store: { ...test.broker.store, transaction: () => Promise.reject(new Error('full')) },
    }
    await expect(flushCounts(failing)).rejects.toThrow('full')
    test.broker.recentRefusals.count('rate_limited')
    await flushCounts(test.broker)
    const leaf = await test.lastLeaf('counted')
    expect(await test.openPart(leaf.eventId, 'core')).toEqual({ rate_limited: 2 })
  })
})
