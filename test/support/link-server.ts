import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'

export type LinkServer = {
  readonly origin: string
  readonly clientId: string
  readonly clientSecret: string
  /** What its token endpoint was sent, newest last. */
  readonly asked: URLSearchParams[]
  readonly revoked: string[]
  /** Whether an access token is good, and for whom. */
  accepts(accessToken: string): boolean
  /** The user says yes at the authorization endpoint: where the browser is sent back to. */
  authorize(url: string): URL
  /** Answers the next token request so. */
  answerNext(answer: { status: number; body: unknown }): void
  /** Refresh tokens of this user work no more. */
  forgetEverything(): void
  close(): Promise<void>
}

/** An authorization server at a skill: code flow, PKCE S256, rotated refresh tokens, RFC 9207 and RFC 7009. */
export async function startLinkServer(
  options: { expiresIn?: number; clientSecret?: string } = {},
): Promise<LinkServer> {
  const codes = new Map<string, { challenge: string; redirectUri: string }>()
  const refreshTokens = new Set<string>()
  const accessTokens = new Set<string>()
  const asked: URLSearchParams[] = []
  const revoked: string[] = []
  const clientId = 'countersign'
  const clientSecret = options.clientSecret ?? 'a secret / with odd characters'
  let queued: { status: number; body: unknown } | undefined

  function tokens() {
    const access_token = `at.${randomBytes(8).toString('hex')}`
    const refresh_token = `rt.${randomBytes(8).toString('hex')}`
    accessTokens.add(access_token)
    refreshTokens.add(refresh_token)
    const expires_in = options.expiresIn ?? 3600
    return { status: 200, body: { access_token, token_type: 'Bearer', expires_in, refresh_token } }
  }
  function answer(form: URLSearchParams) {
    if (queued) {
      const next = queued
      queued = undefined
      return next
    }
    const refused = (error: string) => ({ status: 400, body: { error } })
    if (form.get('grant_type') === 'refresh_token') {
      const known = refreshTokens.delete(form.get('refresh_token') ?? '')
      return known ? tokens() : refused('invalid_grant')
    }
    const code = codes.get(form.get('code') ?? '')
    codes.delete(form.get('code') ?? '')
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    const isGood = code?.challenge === challenge && code.redirectUri === form.get('redirect_uri')
    return isGood ? tokens() : refused('invalid_grant')
  }

  function authorize(text: string): URL {
    const url = new URL(text)
    const of = (name: string) => url.searchParams.get(name) ?? ''
    if (url.origin !== origin || of('code_challenge_method') !== 'S256') throw new Error('no good request')
    const code = randomBytes(8).toString('hex')
    codes.set(code, { challenge: of('code_challenge'), redirectUri: of('redirect_uri') })
    const back = new URL(of('redirect_uri'))
    back.searchParams.set('code', code)
    back.searchParams.set('state', of('state'))
    back.searchParams.set('iss', origin)
    return back
  }

  const server = createServer(async (request, response) => {
    if (request.method === 'GET' && request.url?.startsWith('/authorize?')) {
      response.writeHead(302, { location: authorize(`${origin}${request.url}`).href }).end()
      return
    }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const form = new URLSearchParams(Buffer.concat(chunks).toString())
    const expected = `Basic ${Buffer.from(`${clientId}:${encodeURIComponent(clientSecret)}`).toString('base64')}`
    if (request.headers.authorization !== expected) {
      response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":"invalid_client"}')
      return
    }
    if (request.url === '/revoke') {
      revoked.push(form.get('token') ?? '')
      response.writeHead(200).end()
      return
    }
    asked.push(form)
    const { status, body } = answer(form)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const origin = `http://127.0.0.1:${address.port}`
  return {
    origin,
    clientId,
    clientSecret,
    asked,
    revoked,
    accepts: (token) => accessTokens.has(token),
    authorize,
    answerNext(next) {
      queued = next
    },
    forgetEverything: () => refreshTokens.clear(),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
