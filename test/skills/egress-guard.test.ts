import { describe, expect, it } from 'vitest'
import { checkEndpoint, devOriginFaults, mayReach, resolveForEgress } from '../../src/skills/egress-guard.ts'

const PUBLIC = { devOrigins: [] }
const DEV = {
  devOrigins: ['http://127.0.0.1:4001', 'http://localhost:4002', 'https://10.0.0.5', 'http://8.8.8.8'],
}

function codeOf(text: string, policy: { devOrigins: string[] } = PUBLIC): string {
  const verdict = checkEndpoint(text, policy)
  return verdict.ok ? 'ok' : verdict.code
}

describe('checkEndpoint', () => {
  it.each([
    ['a plain endpoint', 'https://coffee.example/v1/orders'],
    ['another port', 'https://coffee.example:8443/orders'],
    ['a query', 'https://coffee.example/orders?lang=zh'],
    ['a public address', 'https://93.184.216.34/orders'],
    ['a public IPv6 address', 'https://[2606:2800:220:1:248:1893:25c8:1946]/'],
    ['punycode', 'https://xn--fsqu00a.xn--0zwm56d/'],
    ['an @ after the authority', 'https://coffee.example/users/@me'],
  ])('accepts %s', (_, text) => {
    expect(codeOf(text)).toBe('ok')
  })

  it.each([
    ['loopback', 'https://127.0.0.1/'],
    ['loopback as a decimal number', 'https://2130706433/'],
    ['loopback as a hex number', 'https://0x7f000001/'],
    ['loopback in hex parts', 'https://0x7f.0x0.0x0.0x1/'],
    ['loopback in octal', 'https://0177.0.0.01/'],
    ['loopback as an octal number', 'https://017700000001/'],
    ['loopback in mixed bases', 'https://0x7f.0.0.01/'],
    ['loopback shortened', 'https://127.1/'],
    ['loopback shortened to three parts', 'https://127.0.1/'],
    ['loopback with a trailing dot', 'https://127.0.0.1./'],
    ['loopback with a percent-encoded digit', 'https://127.0.0.%31/'],
    ['loopback with percent-encoded fullwidth digits', 'https://%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1/'],
    ['loopback with percent-encoded ideographic dots', 'https://127%E3%80%820%E3%80%820%E3%80%821/'],
    ['loopback with an encoded circled digit', 'https://127.0.0.%E2%91%A0/'],
    ['zero', 'https://0/'],
    ['the unspecified address', 'https://0.0.0.0/'],
    ['a number that wraps the last part', 'https://169.16689662/'],
    ['metadata', 'https://169.254.169.254/latest/meta-data/'],
    ['metadata as a number', 'https://2852039166/'],
    ['metadata in octal', 'https://0251.0376.0251.0376/'],
    ['Alibaba Cloud metadata', 'https://100.100.100.200/'],
    ['IPv6 metadata', 'https://[fd00:ec2::254]/'],
    ['IPv6 metadata in capitals', 'https://[FD00:EC2::254]/'],
    ['IPv6 loopback', 'https://[::1]/'],
    ['IPv6 loopback written out', 'https://[0:0:0:0:0:0:0:1]/'],
    ['mapped loopback', 'https://[::ffff:127.0.0.1]/'],
    ['mapped loopback in hex', 'https://[::FFFF:7F00:1]/'],
    ['compatible loopback', 'https://[::127.0.0.1]/'],
    ['6to4 around loopback', 'https://[2002:7f00:1::]/'],
    ['NAT64 around metadata', 'https://[64:ff9b::169.254.169.254]/'],
    ['link-local', 'https://[fe80::1]/'],
    ['a private address', 'https://192.168.0.1/'],
    ['localhost', 'https://localhost/'],
    ['localhost in mixed case', 'https://LocalHost/'],
    ['localhost with a trailing dot', 'https://localhost./'],
    ['a name under localhost', 'https://skill.localhost/'],
    ['a multicast DNS name', 'https://printer.local/'],
    ['a cloud-internal name', 'https://metadata.google.internal/'],
    ['a cloud-internal name with two dots', 'https://metadata.google.internal../'],
    ['a home network name', 'https://nas.home.arpa/'],
    ['a single label', 'https://intranet/'],
    ['a single label with a dot', 'https://metadata./'],
  ])('blocks %s', (_, text) => {
    expect(codeOf(text)).toBe('blocked_address')
  })

  it.each([
    ['plain http', 'http://coffee.example/'],
    ['another scheme', 'ftp://coffee.example/'],
    ['a file', 'file:///etc/passwd'],
    ['data', 'data:application/json,{}'],
    ['a websocket', 'wss://coffee.example/'],
    ['user info', 'https://user:pass@coffee.example/'],
    ['a user', 'https://user@coffee.example/'],
    ['empty user info', 'https://@coffee.example/'],
    ['empty user and password', 'https://:@coffee.example/'],
    ['a host that hides behind user info', 'https://coffee.example@127.0.0.1/'],
    ['a fragment', 'https://coffee.example/#x'],
    ['an empty fragment', 'https://coffee.example/#'],
    ['a backslash', 'https://coffee.example\\@127.0.0.1/'],
    ['backslashes for slashes', 'https:\\\\127.0.0.1/'],
    ['one slash', 'https:/127.0.0.1/'],
    ['no slash', 'https:127.0.0.1'],
    ['three slashes', 'https:///127.0.0.1/'],
    ['a tab inside', 'https://coffee\t.example/'],
    ['a line break', 'https://coffee.example/\r\nx: y'],
    ['a space before', ' https://coffee.example/'],
    ['a zero byte', 'https://coffee.example/\0'],
    ['fullwidth digits', 'https://１２７.0.0.1/'],
    ['an ideographic full stop', 'https://127。0。0。1/'],
    ['a soft hyphen', 'https://local\u00adhost/'],
    ['a host in its own script', 'https://例子.测试/'],
    ['an IPv6 zone', 'https://[fe80::1%25eth0]/'],
    ['an IPv6 zone without encoding', 'https://[fe80::1%eth0]/'],
    ['a number too large for an address', 'https://4294967296/'],
    ['port 0', 'https://coffee.example:0/'],
    ['a port out of range', 'https://coffee.example:65536/'],
    ['a relative reference', '/orders'],
    ['a reference without a scheme', '//coffee.example/'],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(codeOf(text)).toBe('bad_endpoint')
  })

  it.each([
    ['the listed origin', 'http://127.0.0.1:4001/orders', 'ok'],
    ['the listed origin in another spelling', 'http://0x7f.1:4001/orders', 'ok'],
    ['a listed name', 'http://localhost:4002/', 'ok'],
    ['a listed private network', 'https://10.0.0.5/', 'ok'],
    ['another port', 'http://127.0.0.1:4003/', 'bad_endpoint'],
    ['the same port over https', 'https://127.0.0.1:4001/', 'blocked_address'],
    ['another host of that network', 'https://10.0.0.6/', 'blocked_address'],
    ['plain http to the internet, although listed', 'http://8.8.8.8/', 'blocked_address'],
  ])('with a development allow-list, treats %s exactly', (_, text, expected) => {
    expect(codeOf(text, DEV)).toBe(expected)
  })
})

describe('resolveForEgress', () => {
  const answering =
    (...addresses: string[]) =>
    async () =>
      addresses.map((address) => ({ address, family: address.includes(':') ? (6 as const) : (4 as const) }))

  it('answers every address when all are public', async () => {
    const verdict = await resolveForEgress(
      'a.example',
      'https://a.example',
      PUBLIC,
      answering('1.1.1.1', '8.8.8.8'),
    )
    expect(verdict).toMatchObject({ ok: true, addresses: [{ address: '1.1.1.1' }, { address: '8.8.8.8' }] })
  })

  it.each([
    ['one of several is private', ['1.1.1.1', '10.0.0.1']],
    ['one of several is metadata', ['169.254.169.254', '1.1.1.1']],
    ['one of several is mapped loopback', ['1.1.1.1', '::ffff:7f00:1']],
  ])('refuses them all when %s', async (_, addresses) => {
    const verdict = await resolveForEgress('a.example', 'https://a.example', PUBLIC, answering(...addresses))
    expect(verdict).toEqual({ ok: false, code: 'blocked_address' })
  })

  it('reports a name without addresses, and one that cannot be resolved, as a resolution failure', async () => {
    const failing = () => Promise.reject(new Error('SERVFAIL'))
    for (const resolve of [answering(), failing]) {
      const verdict = await resolveForEgress('a.example', 'https://a.example', PUBLIC, resolve)
      expect(verdict).toEqual({ ok: false, code: 'dns_failed' })
    }
  })
})

describe('mayReach', () => {
  it.each([
    ['a development origin to metadata', '169.254.169.254', 'http://127.0.0.1:4001', false],
    ['a development origin to loopback', '127.0.0.1', 'http://127.0.0.1:4001', true],
    ['a development origin over http to the internet', '1.1.1.1', 'http://127.0.0.1:4001', false],
    ['a development origin over https to the internet', '1.1.1.1', 'https://10.0.0.5', true],
    ['any other origin to loopback', '127.0.0.1', 'https://coffee.example', false],
  ])('%s', (_, address, origin, expected) => {
    expect(mayReach(address, origin, DEV)).toBe(expected)
  })
})

describe('devOriginFaults', () => {
  it('accepts exact origins and names every other entry', () => {
    expect(devOriginFaults(['http://127.0.0.1:4001', 'https://10.0.0.5'])).toEqual([])
    const wrong = [
      '*',
      'http://127.0.0.1:4001/',
      'localhost:4001',
      'HTTP://A',
      'https://a:443',
      'null',
      'ws://a',
    ]
    expect(devOriginFaults(wrong)).toHaveLength(wrong.length)
  })
})
