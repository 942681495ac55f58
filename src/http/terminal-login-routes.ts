import { z } from 'zod'
import { type Route, route } from './route.ts'
import { TERMINAL_TOKEN_PREFIX } from './session-caller.ts'

/** How a terminal asks to act for a person, and learns what they said. */
export type TerminalLogins = {
  begin(input: { kind: 'user' | 'operator' }): Promise<{
    deviceCode: string
    userCode: string
    url: string
    expiresAtMs: number
  }>
  poll(input: {
    deviceCode: string
    userAgent: string
  }): Promise<
    | { kind: 'waiting' | 'refused' | 'expired' }
    | { kind: 'allowed'; token: string; personKind: string; personId: string; expiresAtMs: number }
  >
}

const common = { method: 'post', callers: [], tag: 'Terminals' } as const
const secret = z.string().max(64)

/** The login of a terminal: it shows a code, a person allows it on a page, and it polls for its token. */
export function terminalLoginRoutes(logins: TerminalLogins): Route[] {
  return [
    route({
      ...common,
      path: '/v1/terminal-logins',
      summary: 'Ask to act for a person from a terminal',
      description:
        'Nothing is allowed until the person opens url, compares userCode and says so after a step-up.',
      body: z.strictObject({ kind: z.enum(['user', 'operator']) }),
      responses: {
        201: {
          description: 'The code to show, and what to poll with.',
          shape: z.strictObject({
            deviceCode: secret,
            userCode: z.string(),
            url: z.string(),
            expiresAtMs: z.int(),
          }),
        },
      },
      problems: [],
      handle: async ({ body }) => ({ status: 201, body: await logins.begin(body) }),
    }),
    route({
      ...common,
      path: '/v1/terminal-logins/poll',
      summary: 'Learn what the person said',
      description:
        'The first answer after a yes holds the token; there is no second one. Poll every 2 seconds.',
      body: z.strictObject({ deviceCode: secret }),
      responses: {
        200: {
          description: 'How it stands.',
          shape: z.strictObject({
            state: z.enum(['waiting', 'allowed', 'refused', 'expired']),
            token: z.string().optional(),
            kind: z.string().optional(),
            id: z.string().optional(),
            expiresAtMs: z.int().optional(),
          }),
        },
      },
      problems: [],
      async handle({ body, request }) {
        const userAgent = (request.header('user-agent') ?? '').slice(0, 300)
        const polled = await logins.poll({ ...body, userAgent })
        if (polled.kind !== 'allowed') return { status: 200, body: { state: polled.kind } }
        const { token, personKind, personId, expiresAtMs } = polled
        const given = {
          token: `${TERMINAL_TOKEN_PREFIX}${token}`,
          kind: personKind,
          id: personId,
          expiresAtMs,
        }
        return { status: 200, body: { state: polled.kind, ...given } }
      },
    }),
  ]
}
