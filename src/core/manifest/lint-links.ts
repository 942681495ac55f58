import type { LintSubject } from './lint-subject.ts'
import { errorAt, type ManifestFault } from './manifest-fault.ts'

const LOOPBACK = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(\/|$)/
const PUBLIC = /^https:\/\/([a-z0-9-]+\.)+[a-z][a-z0-9-]*(:\d+)?(\/|$)/

/** Rules on accounts that users link: where they are sent to sign in, and which fields their tokens fill. */
export function lintLinks(subject: LintSubject): ManifestFault[] {
  const { links = [] } = subject.manifest
  return [
    ...links.flatMap((link, index) => [
      ...lintUrls(subject, link, `/links/${index}`),
      ...lintFills(subject, link.fills, `/links/${index}/fills`),
    ]),
    ...twice(links.map(({ id }) => id)).map((id) =>
      errorAt('/links', 'link_twice', `${id} is declared twice`, 'give each link a name of its own'),
    ),
    ...twice(links.flatMap(({ fills }) => fills)).map((pointer) =>
      errorAt(
        '/links',
        'link_fills_twice',
        `${pointer} is filled by two links`,
        'let one link fill each field',
      ),
    ),
  ]
}

type Link = NonNullable<LintSubject['manifest']['links']>[number]

function lintUrls({ allowDevelopment }: LintSubject, link: Link, at: string): ManifestFault[] {
  const urls = {
    issuer: link.issuer,
    authorizationEndpoint: link.authorizationEndpoint,
    tokenEndpoint: link.tokenEndpoint,
    revocationEndpoint: link.revocationEndpoint,
  }
  return Object.entries(urls).flatMap(([name, text]) => {
    if (text === undefined) return []
    const isPlain = URL.canParse(text) && new URL(text).hash === '' && new URL(text).username === ''
    const isReachable = PUBLIC.test(text) || (allowDevelopment && LOOPBACK.test(text))
    if (isPlain && isReachable) return []
    return [
      errorAt(
        `${at}/${name}`,
        'link_url_not_public',
        'this is no https URL of a public name',
        'write an https URL without user and fragment',
      ),
    ]
  })
}

function lintFills({ actions }: LintSubject, fills: readonly string[], at: string): ManifestFault[] {
  return fills.flatMap((pointer, index) => {
    const isAccount = actions.some(({ input }) =>
      (input ?? []).some((field) => field.pointer === pointer && field.leaf.kind === 'account'),
    )
    return isAccount
      ? []
      : [
          errorAt(
            `${at}/${index}`,
            'link_fills_nothing',
            `no action has a field of kind account at ${pointer}`,
            'name the field of kind account that the token goes into',
          ),
        ]
  })
}

function twice(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))]
}
