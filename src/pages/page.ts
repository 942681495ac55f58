import type { html } from 'hono/html'
import type { JsonValue } from '../core/json-value.ts'
import type { Person } from '../people/person.ts'
import type { Form } from './form.ts'
import type { Locale } from './locale.ts'

/** What `html` of `hono/html` makes: every value in it is escaped. */
export type Html = ReturnType<typeof html>

/** What a page is told of a request, after every check that all pages share. */
export type PageRequest = {
  /** Whoever is signed in; never null where the page's `who` asks for somebody. */
  readonly person: Person | null
  readonly locale: Locale
  readonly params: Readonly<Record<string, string>>
  /** A name given twice is refused before. */
  readonly query: Readonly<Record<string, string>>
  /** Posted fields, after the check of origin and token; empty for GET. */
  readonly form: Form
  /** The value of the hidden field `csrf` that each form posts back. */
  readonly csrf: string
  /** The peer's address, for throttling; never stored in the clear. */
  readonly address: string
  /** A cookie by its base name, such as `countersign`: pages do not care how it is prefixed. */
  cookie(name: CookieName): string | undefined
  readonly requestId: string
  readonly url: URL
  /** The `User-Agent` the browser claims, at most 300 characters. */
  readonly userAgent: string
}

/** Cookies of ours, by base name; see cookies.ts for how they are called on the wire. */
export type CookieName = 'countersign' | 'countersign-form' | 'connect' | 'lang'

export type PageAnswer =
  | {
      readonly kind: 'html'
      readonly status?: number
      readonly title: string
      readonly body: Html
      /** Whole `Set-Cookie` values; make them with setCookie of cookies.ts. */
      readonly cookies?: readonly string[]
      /** Scripts of src/pages/assets besides app.js, by file name. */
      readonly scripts?: readonly string[]
      /** Origins a form of this page may lead to besides our own, as CSP source expressions. */
      readonly formActions?: readonly string[]
      /** Pages with one task, such as signing in, show no navigation. */
      readonly isPlain?: boolean
    }
  | { readonly kind: 'redirect'; readonly location: string; readonly cookies?: readonly string[] }
  | {
      readonly kind: 'json'
      readonly status?: number
      readonly body: JsonValue
      readonly cookies?: readonly string[]
    }
  /** The same for what does not exist and for what is another's. */
  | { readonly kind: 'not_found' }

export type Page = {
  readonly method: 'get' | 'post'
  /** As OpenAPI spells it, with `{name}` for a parameter. */
  readonly path: string
  readonly who: 'anyone' | 'user' | 'operator' | 'signed_in'
  /** Whether this request takes a passkey used within the last minutes; whoever has none is sent to /step-up and back. */
  needsStepUp?(request: PageRequest): boolean
  run(request: PageRequest): Promise<PageAnswer> | PageAnswer
}
