const FORM = /^(postgres(?:ql)?:\/\/(?:[^@/]*@)?)([^/?]+)(.*)$/

/**
 * The addresses that one connection string names: `postgres://user@one:5432,two:5432/name` is two servers of which one
 * is the primary. The client knows only one host at a time.
 */
export function hostsIn(url: string): string[] {
  const [, before = '', hosts = '', after = ''] = FORM.exec(url) ?? []
  const urls = hosts.split(',').filter((host) => host !== '')
  return urls.length > 1 ? urls.map((host) => `${before}${host}${after}`) : [url]
}

/** Which of several servers is tried next: the one that was good last, until it is not. */
export class Hosts {
  readonly #urls: readonly string[]
  #at = 0

  constructor(url: string) {
    this.#urls = hostsIn(url)
  }

  get count(): number {
    return this.#urls.length
  }

  current(): string {
    return this.#urls[this.#at] ?? ''
  }

  /** Turns to another server, unless somebody has already since `from` was tried. */
  turnFrom(from: string): void {
    if (this.current() === from) this.#at = (this.#at + 1) % this.#urls.length
  }
}
