/** An answer as a browser sees it, before any redirect is followed. */
export type Seen = {
  readonly status: number
  readonly url: string
  readonly location: string | null
  readonly text: string
  readonly headers: Headers
}

const HOPS_MOST = 12

/** What a person's browser does, by HTTP alone: keeps cookies by path, follows redirects, sends forms. */
export class BrowserByHand {
  readonly #origin: string
  readonly #cookies = new Map<string, { value: string; path: string }>()

  constructor(origin: string, cookies: Readonly<Record<string, string>> = {}) {
    this.#origin = origin
    for (const [name, value] of Object.entries(cookies)) this.#cookies.set(name, { value, path: '/' })
  }

  /** Opens an address and follows redirects as long as they stay at this origin. */
  async open(url: string): Promise<Seen> {
    let seen = await this.send('GET', url)
    for (let hop = 0; hop < HOPS_MOST && seen.location !== null; hop++) {
      if (new URL(seen.location, seen.url).origin !== this.#origin) return seen
      seen = await this.send('GET', new URL(seen.location, seen.url).href)
    }
    return seen
  }

  /** Sends the form of a page that was opened, with its token and what is chosen, and follows where it leads. */
  async submit(page: Seen, fields: Readonly<Record<string, string>>, action = new URL(page.url).pathname) {
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
    const seen = await this.send('POST', new URL(action, this.#origin).href, { csrf, ...fields })
    return seen.location === null || new URL(seen.location, seen.url).origin !== this.#origin
      ? seen
      : this.open(new URL(seen.location, seen.url).href)
  }

  async send(method: string, url: string, form?: Readonly<Record<string, string>>): Promise<Seen> {
    const { pathname } = new URL(url)
    const cookie = this.cookieHeader(pathname)
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      headers: {
        accept: 'text/html,*/*;q=0.8',
        cookie,
        ...(form ? { origin: this.#origin, 'sec-fetch-site': 'same-origin' } : {}),
      },
      ...(form ? { body: new URLSearchParams(form) } : {}),
    })
    for (const line of response.headers.getSetCookie()) this.#keep(line)
    return {
      status: response.status,
      url,
      location: response.headers.get('location'),
      text: await response.text(),
      headers: response.headers,
    }
  }

  /** What the `Cookie` header says of a request to this path. */
  cookieHeader(pathname: string): string {
    return [...this.#cookies]
      .filter(([, { path }]) => path === '/' || pathname === path || pathname.startsWith(`${path}/`))
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ')
  }

  cookie(name: string): string | undefined {
    return this.#cookies.get(name)?.value
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
    const at = pair.indexOf('=')
    const path = attributes.find((part) => /^path=/i.test(part))?.slice(5) ?? '/'
    const name = pair.slice(0, at)
    const value = pair.slice(at + 1)
    const isGone =
      value === '' || attributes.some((part) => /^(max-age=0|expires=thu, 01 jan 1970)/i.test(part))
    if (isGone) this.#cookies.delete(name)
    else this.#cookies.set(name, { value, path })
  }
}

/** Where a page that leads back to a program goes on: what its browser would follow by itself. */
export function refreshOf(page: Seen): string {
  const path = /http-equiv="refresh" content="0; url=([^"]+)"/.exec(page.text)?.[1]
  if (path === undefined) throw new Error(`no way back to the program on ${page.url}: ${page.status}`)
  return new URL(path, page.url).href
}
