import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openCheckpointRegisterFile } from '../../src/store/checkpoint-register-file.ts'
import {
  checkObjectStore,
  type ObjectCredentials,
  ObjectStoreUnfit,
  openObjectRegister,
} from '../../src/store/checkpoint-register-object.ts'
import { openCheckpointRegister, RegisterMisplaced } from '../../src/store/open-checkpoint-register.ts'
import { describeRegister, entry, ORIGIN } from '../contract/register-contract.ts'
import { startObjectStore, type TestObjectStore } from '../support/object-store.ts'
import { tempFolder } from '../support/temp-folder.ts'

const AWS: ObjectCredentials = {
  kind: 'aws',
  region: 'eu-central-1',
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
}
const BEARER: ObjectCredentials = { kind: 'bearer', token: 'a-token-of-thirty-two-characters' }
const PATH = '/bucket/countersign/register%20one.json'

describeRegister('a register in a file of one process', async () => {
  const folder = tempFolder()
  return {
    open: () => openCheckpointRegisterFile(join(folder, 'register.json')),
    remove: async () => undefined,
  }
})

describeRegister('a register in a file of several processes', async () => {
  const folder = tempFolder()
  return {
    open: () => openCheckpointRegisterFile(join(folder, 'register.json'), true),
    remove: async () => undefined,
  }
})

for (const credentials of [AWS, BEARER]) {
  describeRegister(`a register in an object store, by ${credentials.kind}`, async () => {
    const store = await startObjectStore(credentials)
    return {
      open: () => openObjectRegister({ url: `${store.origin}${PATH}`, credentials }),
      remove: () => store.close(),
    }
  })
}

describe('an object store', () => {
  let store: TestObjectStore
  const at = (credentials = AWS) => ({ url: `${store.origin}${PATH}`, credentials })
  beforeEach(async () => {
    store = await startObjectStore(AWS)
  })
  afterEach(() => store.close())

  it('that keeps conditions is fit, now and at the next start', async () => {
    await checkObjectStore(at())
    await checkObjectStore(at())
    expect(store.objects.has(PATH)).toBe(false)
  })

  it.each(['ignores_if_match', 'ignores_if_none_match'] as const)('that %s is not fit', async (fault) => {
    store.faults.add(fault)
    await expect(checkObjectStore(at())).rejects.toThrow(ObjectStoreUnfit)
  })

  it('without strong ETags is not fit', async () => {
    store.faults.add('weak_etags')
    const register = openObjectRegister(at())
    await register.advance(undefined, entry(1))
    await expect(register.read()).rejects.toThrow(ObjectStoreUnfit)
  })

  it('that refuses the credentials is an outage, not an empty register', async () => {
    const register = openObjectRegister(at({ ...AWS, secretAccessKey: 'another' }))
    await expect(register.read()).rejects.toThrow('403')
    await expect(register.advance(undefined, entry(1))).rejects.toThrow('403')
  })

  it('that answers late tells nothing: what it holds says whether the move was made', async () => {
    const register = openObjectRegister(at())
    await register.advance(undefined, entry(1))
    store.failNextPut = { status: 500, isDone: true }
    await expect(register.advance(entry(1), entry(2))).rejects.toThrow('500')
    expect(await register.read()).toEqual(entry(2))
    store.failNextPut = { status: 409, isDone: true }
    expect(await register.advance(entry(2), entry(3))).toBe(true)
    store.failNextPut = { status: 409, isDone: false }
    await expect(register.advance(entry(3), entry(4))).rejects.toThrow('being changed')
  })

  it('with something else in the object is not taken for empty', async () => {
    store.objects.set(PATH, '{"origin":"x"}')
    await expect(openObjectRegister(at()).read()).rejects.toThrow('not a checkpoint register')
  })
})

describe('where a register is said to be', () => {
  it('must be named with credentials that nobody else can read', async () => {
    const file = join(tempFolder(), 'credentials.json')
    const place = { kind: 'object', url: 'https://store.example/r.json', credentialsFile: file } as const
    const open = () => openCheckpointRegister(place, { origin: ORIGIN, url: null })
    await expect(open()).rejects.toThrow(RegisterMisplaced)
    writeFileSync(file, JSON.stringify(BEARER), { mode: 0o644 })
    await expect(open()).rejects.toThrow(RegisterMisplaced)
    await expect(open()).rejects.not.toThrow('a-token-of')
  })
})
