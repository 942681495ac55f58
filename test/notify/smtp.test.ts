import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openSmtp } from '../../src/notify/smtp-carrier.ts'
import type { Delivery } from '../../src/ports/carriers.ts'
import { type SmtpServer, startSmtpServer } from '../support/smtp-server.ts'

const DELIVERY: Delivery = {
  messageId: 'msg_1',
  userId: 'usr_a',
  kind: 'consent_waiting',
  subjects: ['crq_1'],
  openUrl: 'https://broker.example/consents/crq_1',
  locale: 'en',
  createdAtMs: 0,
  expiresAtMs: 1,
}

let server: SmtpServer
let mail: ReturnType<typeof openSmtp>

describe('mail', () => {
  beforeEach(async () => {
    server = await startSmtpServer()
    mail = openSmtp({ url: server.url, from: 'countersign@broker.example' })
  })
  afterEach(async () => {
    mail.close()
    await server.close()
  })

  it('goes to one recipient, in plain text, with a link that only opens a page', async () => {
    expect(await mail.carry('alice@example.com', DELIVERY)).toEqual({ kind: 'delivered' })
    const [received] = server.received
    expect(received).toMatchObject({ from: 'countersign@broker.example', to: ['alice@example.com'] })
    expect(received?.headers.get('subject')).toBe('An agent asks for your permission')
    expect(received?.headers.get('message-id')).toBe('<msg_1@broker.example>')
    expect(received?.headers.get('auto-submitted')).toBe('auto-generated')
    expect(received?.headers.get('content-type')).toMatch(/^text\/plain/)
    expect(received?.text).toContain(DELIVERY.openUrl)
    expect(received?.text.match(/https?:/g)).toHaveLength(1)
  })

  it('speaks 简体中文 where that was chosen', async () => {
    await mail.carry('alice@example.com', { ...DELIVERY, locale: 'zh' })
    expect(server.received[0]?.text).toContain('在你答复之前什么都不允许')
  })

  it('mails a code', async () => {
    expect(await mail.sendCode('alice@example.com', '12345678', 'en')).toEqual({ kind: 'delivered' })
    expect(server.received[0]?.text).toContain('12345678')
    expect(server.received[0]?.headers.get('subject')).not.toContain('12345678')
  })

  it.each([
    'alice@example.com\r\nBcc: eve@example.com',
    'alice@example.com, eve@example.com',
    'Alice <eve@example.com>',
    '"alice@example.com" <eve@example.com>',
    'alice@example.com\u0000',
    'alice@',
    '',
  ])('sends nothing to %j', async (address) => {
    expect(await mail.carry(address, DELIVERY)).toEqual({ kind: 'gone' })
    expect(server.received).toHaveLength(0)
  })

  it('gives up on what the server refuses for good, and tries again otherwise', async () => {
    server.refuseNext('RCPT', '550 no such mailbox')
    expect(await mail.carry('alice@example.com', DELIVERY)).toEqual({ kind: 'refused' })
    server.refuseNext('DATA', '451 later')
    expect(await mail.carry('alice@example.com', DELIVERY)).toEqual({ kind: 'later' })
    expect(await mail.carry('alice@example.com', DELIVERY)).toEqual({ kind: 'delivered' })
  })

  it('tries again when nobody answers', async () => {
    await server.close()
    expect(await mail.carry('alice@example.com', DELIVERY)).toEqual({ kind: 'later' })
    server = await startSmtpServer()
  })

  it('speaks to no server but this machine without TLS', async () => {
    const other = openSmtp({ url: server.url.replace('127.0.0.1', 'localhost'), from: 'a@b.example' })
    expect(await other.carry('alice@example.com', DELIVERY)).toEqual({ kind: 'delivered' })
    other.close()
    for (const url of ['https://mail.example', 'mail.example', '', 'smtp:'])
      expect(() => openSmtp({ url, from: 'a@b.example' })).toThrow(RangeError)
  })
})
