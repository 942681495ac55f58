import type { CheckpointRegister, RegisterEntry } from '../ports/checkpoint-register.ts'
import { type AwsCredentials, signAws } from './aws-signature.ts'
import { checkGrowth, isSameEntry, parseRegisterLine, registerLine } from './register-entry.ts'

export type ObjectCredentials =
  | ({ readonly kind: 'aws' } & Omit<AwsCredentials, 'service'>)
  | { readonly kind: 'bearer'; readonly token: string }

export type ObjectRegisterOptions = {
  /** The object's own address, such as https://bucket.s3.eu-central-1.amazonaws.com/countersign/register.json. */
  readonly url: string
  readonly credentials: ObjectCredentials
  readonly fetch?: typeof fetch
  readonly nowMs?: () => number
}

/** The object store does not do what a register needs of it; the message says what. */
export class ObjectStoreUnfit extends Error {
  override name = 'ObjectStoreUnfit'
}

const WITHIN_MS = 10_000
const BYTES_MOST = 4_096

type Stored = { readonly entry: RegisterEntry; readonly etag: string }

/**
 * Keeps the register as one object, replaced only where it is still what it was: PUT with `If-Match`, or with
 * `If-None-Match: *` the first time (RFC 9110 section 13.1). S3 and the stores that speak it, and any plain HTTP store
 * that honours conditions; `checkObjectStore` tells those that do not.
 */
export function openObjectRegister(options: ObjectRegisterOptions): CheckpointRegister {
  const request = requester(options)

  async function find(): Promise<Stored | undefined> {
    const answer = await request('GET', options.url, {})
    if (answer.status === 404) return undefined
    if (answer.status !== 200) throw new Error(`the checkpoint register answered ${answer.status}`)
    const etag = answer.headers.get('etag')
    if (etag === null || etag.startsWith('W/'))
      throw new ObjectStoreUnfit('the object store gives no strong ETag')
    try {
      return { entry: parseRegisterLine(answer.text), etag }
    } catch (cause) {
      throw new Error('the object is not a checkpoint register: restore it from its newest version', {
        cause,
      })
    }
  }

  return {
    async read() {
      return (await find())?.entry
    },
    async advance(from, to) {
      checkGrowth(from, to)
      const stored = await find()
      if (!isSameEntry(stored?.entry, from)) return false
      const condition = stored ? { 'if-match': stored.etag } : { 'if-none-match': '*' }
      const { status } = await request('PUT', options.url, condition, registerLine(to))
      if (status >= 200 && status < 300) return true
      // Gone, or not what it was: somebody else was here.
      if (status === 404 || status === 412) return false
      if (status !== 409) throw new Error(`the checkpoint register answered ${status}`)
      // Two at once, of which the store took one: which, is seen now. Neither, and it is tried again.
      const now = (await find())?.entry
      if (isSameEntry(now, to)) return true
      if (isSameEntry(now, from)) throw new Error('the checkpoint register is being changed')
      return false
    },
  }
}

/**
 * Makes sure that a store refuses a PUT whose condition does not hold, on an object beside the register: one that
 * ignores conditions would let two nodes sign two histories.
 *
 * @throws (rejects) ObjectStoreUnfit if it takes such a PUT, Error if it cannot be reached.
 */
export async function checkObjectStore(options: ObjectRegisterOptions): Promise<void> {
  const request = requester(options)
  const probe = `${options.url}.probe`
  const made = await request(
    'PUT',
    probe,
    { 'if-none-match': '*' },
    'made to see whether conditions are kept\n',
  )
  if (made.status >= 300 && made.status !== 412) {
    throw new Error(`the object store answered ${made.status} to a conditional PUT`)
  }
  for (const condition of [{ 'if-none-match': '*' }, { 'if-match': '"0000000000000000000000000000000f"' }]) {
    const { status } = await request('PUT', probe, condition, 'this must not be kept\n')
    if (status !== 412) {
      const [name] = Object.keys(condition)
      throw new ObjectStoreUnfit(`the object store does not keep ${name}: it answered ${status} and not 412`)
    }
  }
}

type Answered = { readonly status: number; readonly headers: Headers; readonly text: string }

function requester({ credentials, fetch: send = fetch, nowMs = Date.now }: ObjectRegisterOptions) {
  return async (
    method: 'GET' | 'PUT',
    address: string,
    condition: Record<string, string>,
    body = '',
  ): Promise<Answered> => {
    const url = new URL(address)
    const plain = { ...condition, ...(method === 'PUT' ? { 'content-type': 'application/json' } : {}) }
    const headers =
      credentials.kind === 'aws'
        ? signAws({ method, url, headers: plain, body }, { ...credentials, service: 's3' }, nowMs())
        : { ...plain, authorization: `Bearer ${credentials.token}` }
    const response = await send(url, {
      method,
      headers: { ...headers, 'cache-control': 'no-store' },
      ...(method === 'PUT' ? { body } : {}),
      redirect: 'error',
      signal: AbortSignal.timeout(WITHIN_MS),
    })
    return { status: response.status, headers: response.headers, text: await boundedText(response) }
  }
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    // What a store says of a failure may be long, and is not looked at.
    if (bytes > BYTES_MOST) break
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
