import { createHash, createHmac } from 'node:crypto'

export type AwsCredentials = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
  readonly region: string
  readonly service: string
}

export type RequestToSign = {
  readonly method: string
  readonly url: URL
  /** Lower-case names; all of them are signed. `host`, `x-amz-date` and what they need is added. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | string
}

/**
 * Signs a request by AWS Signature Version 4, as S3 and the object stores that speak it want it. Returns all headers to
 * send but `host`, which the client sends itself.
 *
 * @param nowMs Unix milliseconds; the signature is good for some minutes around it.
 */
export function signAws(
  request: RequestToSign,
  credentials: AwsCredentials,
  nowMs: number,
): Record<string, string> {
  const { accessKeyId, secretAccessKey, sessionToken, region, service } = credentials
  const { method, url, body } = request
  const amzDate = new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const bodyHash = sha256(body)
  const sent: Record<string, string> = {
    ...request.headers,
    'x-amz-date': amzDate,
    ...(service === 's3' ? { 'x-amz-content-sha256': bodyHash } : {}),
    ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }),
  }
  const signed = Object.entries({ ...sent, host: url.host }).sort(([x], [y]) => (x < y ? -1 : 1))
  const names = signed.map(([name]) => name).join(';')
  const canonical = [
    method,
    // An object's path is signed as it is sent.
    url.pathname,
    canonicalQuery(url),
    ...signed.map(([name, value]) => `${name}:${value.trim().replace(/ +/g, ' ')}`),
    '',
    names,
    bodyHash,
  ].join('\n')
  const scope = `${amzDate.slice(0, 8)}/${region}/${service}/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', amzDate, scope, sha256(canonical)].join('\n')
  const key = scope
    .split('/')
    .reduce<string | Buffer>((last, part) => hmac(last, part), `AWS4${secretAccessKey}`)
  const signature = hmac(key, toSign).toString('hex')
  const credential = `Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`
  return { ...sent, authorization: `AWS4-HMAC-SHA256 ${credential}` }
}

function canonicalQuery(url: URL): string {
  return [...url.searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&')
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
