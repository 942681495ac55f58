import { z } from 'zod'
import { type ApiCaller, openApiClient } from './api-client.ts'
import { BrowserByHand, type Seen } from './browser-by-hand.ts'
import type { SoftwareAuthenticator } from './software-passkey.ts'
import { mustHold } from './story-failed.ts'

/** Somebody with a browser and a passkey, who uses the broker's pages and, signed in, its API. */
export interface Person {
  readonly browser: BrowserByHand
  readonly api: ApiCaller
}

const registration = z.object({
  options: z.looseObject({ challenge: z.string(), rp: z.looseObject({ id: z.string().optional() }) }),
})
const authentication = z.object({
  options: z.looseObject({ challenge: z.string(), rpId: z.string().optional() }),
})

/** Opens an invitation, makes a passkey and is signed in. @param operator the name the first operator chooses. */
export async function enrol(
  url: string,
  link: string,
  passkey: SoftwareAuthenticator,
  operator?: string,
): Promise<Person> {
  const browser = new BrowserByHand(url)
  const page = await browser.open(link)
  const { pathname } = new URL(link)
  const fields = { name: 'Demo passkey', ...(operator === undefined ? {} : { operator }) }
  const { options } = registration.parse(await optionsOf(browser, page, `${pathname}/options`, fields))
  const done = await browser.submit(page, { ...fields, answer: passkey.create(options) }, pathname)
  mustHold(done.status === 200, `the passkey was not taken: ${done.status}`)
  return signedIn(url, browser)
}

/** Signs in with a passkey the broker knows. */
export async function signIn(url: string, passkey: SoftwareAuthenticator): Promise<Person> {
  const browser = new BrowserByHand(url)
  const page = await browser.open(`${url}/sign-in`)
  const { options } = authentication.parse(await optionsOf(browser, page, '/sign-in/options', {}))
  const done = await browser.submit(page, { answer: passkey.get(options) }, '/sign-in')
  mustHold(done.status === 200, `the passkey was refused: ${done.status}`)
  return signedIn(url, browser)
}

/** The API as a page of the broker calls it: with the session's cookie, and its form token for a change. */
async function signedIn(url: string, browser: BrowserByHand): Promise<Person> {
  const home = await browser.open(`${url}/me`)
  const csrf = formTokenIn(home)
  const api = openApiClient(url, async () => ({
    cookie: browser.cookieHeader('/v1'),
    'sec-fetch-site': 'same-origin',
    'countersign-csrf': csrf,
  }))
  return { browser, api }
}

async function optionsOf(
  browser: BrowserByHand,
  page: Seen,
  path: string,
  fields: Readonly<Record<string, string>>,
): Promise<unknown> {
  return JSON.parse((await browser.submit(page, fields, path)).text)
}

function formTokenIn(page: Seen): string {
  const token = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1]
  mustHold(token !== undefined, `no form on ${new URL(page.url).pathname}: ${page.status}`)
  return token
}
