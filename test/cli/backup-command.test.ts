import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openCheckpointRegisterFile } from '../../src/store/checkpoint-register-file.ts'
import { registerFileIn } from '../../src/store/data-files.ts'
import { runCommand, startBrokerProcess } from '../support/broker-process.ts'
import { tempFolder } from '../support/temp-folder.ts'

it('backs up a broker that serves, and restores it into another folder that starts as a new log', async () => {
  const folder = tempFolder()
  const [data, restored] = [join(folder, 'data'), join(folder, 'restored')]
  const env = (at: string) => ({
    COUNTERSIGN_DATA: at,
    COUNTERSIGN_PORT: '0',
    COUNTERSIGN_LOG_LEVEL: 'silent',
  })
  const running = await startBrokerProcess(env(data))
  const backup = ['backup', '--data', data, '--to']
  expect((await runCommand([...backup, join(folder, 'backup')])).code).toBe(0)
  expect((await runCommand([...backup, join(folder, 'keys'), '--keys'])).code).toBe(0)
  expect((await runCommand([...backup, join(folder, 'backup')])).code).toBe(1)
  await running.kill()

  mkdirSync(restored, { mode: 0o700 })
  for (const name of ['kek.json', 'checkpoint-register.json'])
    copyFileSync(join(data, name), join(restored, name))
  const restore = ['restore', '--data', restored, '--from']
  expect((await runCommand([...restore, join(folder, 'backup')])).code).toBe(1)
  expect((await runCommand([...restore, join(folder, 'keys'), '--keys'])).code).toBe(0)
  const done = await runCommand([...restore, join(folder, 'backup'), '--origin', 'localhost/countersign/log'])
  expect(done).toMatchObject({ code: 0 })
  expect(done.out).toContain('Epoch 2 begins')
  expect((await runCommand([...restore, join(folder, 'backup')])).code).toBe(1)
  expect(existsSync(registerFileIn(restored, 2))).toBe(false)

  const again = await startBrokerProcess(env(restored))
  await again.kill()
  const register = await openCheckpointRegisterFile(registerFileIn(restored, 2)).read()
  expect(register?.origin).toBe('localhost/countersign/log/2')
  expect(readFileSync(registerFileIn(restored, 1))).toEqual(readFileSync(registerFileIn(data, 1)))
  expect((await runCommand(['log', 'verify', '--data', restored])).code).toBe(0)
  expect((await runCommand(['doctor', '--data', restored])).code).toBe(0)
})
