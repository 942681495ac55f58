import { describe, expect, it } from 'vitest'
import { hostsOf, issuerOf, readConfig } from '../src/config.ts'

function faultsOf(env: Record<string, string>): readonly string[] {
  const read = readConfig(env)
  return read.ok ? [] : read.faults
}

describe('the configuration', () => {
  it('stands without anything configured, on loopback, with development off', () => {
    const read = readConfig({ PATH: '/bin', HOME: '/root' })
    expect(read).toMatchObject({
      ok: true,
      config: {
        port: 8787,
        host: '127.0.0.1',
        devTokens: false,
        allowedHosts: [],
        skillDevOrigins: [],
        logOrigin: 'localhost/countersign/log',
      },
    })
    if (read.ok) expect(() => Object.assign(read.config.ratesPerMinute, { agent: 0 })).toThrow(TypeError)
  })

  it('lists every fault at once, misspelled names among them', () => {
    const faults = faultsOf({
      COUNTERSIGN_PORT: '80800',
      COUNTERSIGN_HOST: '0.0.0.0',
      COUNTERSIGN_DEV_TOKENS: 'yes',
      COUNTERSIGN_ALLOWED_HOSTS: 'broker.example, Broker.Example/x',
      COUNTERSIGN_SKILL_DEV_ORIGINS: 'http://127.0.0.1:9101/path',
      COUNTERSIGN_LOG_ORIGIN: 'https://broker.example/log',
      COUNTERSIGN_RATE_PER_AGENT: '0',
      COUNTERSIGN_KEEP_BODY_DAYS: '90.5',
      COUNTERSIGN_LOG_LEVEL: 'debug',
      COUNTERSIGN_DATABASE_URL: 'postgres://localhost/countersign',
      COUNTERSIGN_RATE_PER_AGNET: '5',
    })
    const names = faults.map((fault) => fault.split(' ')[0])
    expect([...names].sort()).toEqual([
      'COUNTERSIGN_ALLOWED_HOSTS',
      'COUNTERSIGN_CHECKPOINT_REGISTER',
      'COUNTERSIGN_DEV_TOKENS',
      'COUNTERSIGN_KEEP_BODY_DAYS',
      'COUNTERSIGN_LOG_LEVEL',
      'COUNTERSIGN_LOG_ORIGIN',
      'COUNTERSIGN_PORT',
      'COUNTERSIGN_PUBLIC_URL',
      'COUNTERSIGN_RATE_PER_AGENT',
      'COUNTERSIGN_RATE_PER_AGNET',
      'COUNTERSIGN_SKILL_DEV_ORIGINS',
    ])
  })

  it.each([
    ['CHECKPOINT_REGISTER', 'file:///var/lib/register.json', 0],
    ['CHECKPOINT_REGISTER', 'postgres://keeper@other.example/register', 0],
    ['CHECKPOINT_REGISTER', 'https://bucket.s3.example/register.json', 1],
    ['CHECKPOINT_REGISTER', 'http://bucket.s3.example/register.json', 1],
    ['CHECKPOINT_REGISTER', 'register.json', 1],
    ['CHECKPOINT_REGISTER', 'file://elsewhere/register.json', 1],
    ['KEY_STORE_URL', 'postgresql://keeper@other.example/keys', 0],
    ['KEY_STORE_URL', 'mysql://other.example/keys', 1],
    ['MERGE_WITHIN_SECONDS', '3', 1],
  ])('takes or refuses COUNTERSIGN_%s=%s', (name, value, faults) => {
    expect(faultsOf({ [`COUNTERSIGN_${name}`]: value })).toHaveLength(faults)
  })

  it('takes an object as register only with credentials, and never shows a password', () => {
    const place = { COUNTERSIGN_CHECKPOINT_REGISTER: 'https://bucket.s3.example/register.json' }
    const file = { COUNTERSIGN_CHECKPOINT_REGISTER_CREDENTIALS_FILE: '/run/secrets/register.json' }
    expect(readConfig({ ...place, ...file })).toMatchObject({
      config: { checkpointRegister: { kind: 'object', credentialsFile: '/run/secrets/register.json' } },
    })
    const wrong = faultsOf({ COUNTERSIGN_DATABASE_URL: 'mysql://user:hush@db.example/x' })
    expect(wrong.join()).not.toContain('hush')
  })

  it.each([
    ['https://broker.example', 0],
    ['https://broker.example:8443', 0],
    ['http://127.0.0.1:8787', 0],
    ['http://[::1]:8787', 0],
    ['http://broker.example', 1],
    ['https://broker.example/', 1],
    ['https://broker.example/api', 1],
    ['https://user@broker.example', 1],
    ['ftp://broker.example', 1],
    ['broker.example', 1],
  ])('takes %s for a public URL with %d faults', (url, count) => {
    expect(faultsOf({ COUNTERSIGN_PUBLIC_URL: url })).toHaveLength(count)
  })

  it('takes an empty value for none', () => {
    expect(faultsOf({ COUNTERSIGN_PUBLIC_URL: '', COUNTERSIGN_PORT: ' ' })).toEqual([])
  })

  it('answers its own address on loopback, and only what was named elsewhere', () => {
    const local = { host: '127.0.0.1', publicUrl: null, allowedHosts: [] }
    expect(issuerOf(local, 4000)).toBe('http://localhost:4000')
    expect(hostsOf(local, 4000)).toEqual(['127.0.0.1:4000', 'localhost:4000', '[::1]:4000'])
    const open = { host: '0.0.0.0', publicUrl: 'https://broker.example', allowedHosts: ['10.0.0.5:4000'] }
    expect(hostsOf(open, 4000)).toEqual(['broker.example', '10.0.0.5:4000'])
    expect(issuerOf({ host: '::1', publicUrl: null }, 4000)).toBe('http://localhost:4000')
  })
})
