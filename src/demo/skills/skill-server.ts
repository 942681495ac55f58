import { type HttpBindings, serve } from '@hono/node-server'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { VerifiedCall } from '../../core/execution/verify-action-token.ts'
import type { LoadedAction, LoadedManifest } from '../../core/manifest/loaded-manifest.ts'
import type { DeletionNotices } from '../../sdk/deletion-notices.ts'
import { handleDeletionNotice } from '../../sdk/handle-deletion-notice.ts'
import type { SkillGuard } from '../../sdk/skill-guard.ts'
import { honoSkillGuard } from '../../sdk/skill-guard-hono.ts'
import type { SkillEngine, SkillReply } from './skill-engine.ts'
import type { Switches } from './switches.ts'

export interface SkillAppDeps {
  readonly manifest: LoadedManifest
  readonly guard: SkillGuard
  readonly engine: SkillEngine
  /** Answers what comes to the path under `deletion`. */
  readonly notices: DeletionNotices
  readonly switches: () => Switches
  /** Sees every call that got past the guard. */
  readonly onCall: (call: VerifiedCall) => void
  /** Ends the process at once; only a skill in a process of its own has it. */
  readonly killProcess: () => void
}

type Bindings = { Bindings: HttpBindings; Variables: { call: VerifiedCall } }

const MAX_BODY_BYTES = 65_536

/** The HTTP side of a sample skill: every request passes the guard, then one route for each action of the manifest. */
export function skillApp(deps: SkillAppDeps): Hono<Bindings> {
  const app = new Hono<Bindings>()
  app.use(
    '*',
    bodyLimit({ maxSize: MAX_BODY_BYTES, onError: (c) => c.json({ code: 'body_too_large' }, 413) }),
  )
  const { deletion } = deps.manifest.manifest
  // Before the guard: a notice is no call, and carries its own signature.
  if (deletion) app.post(deletion.path, (c) => answerNotice(deps, c.req.raw))
  app.use('*', honoSkillGuard(deps.guard))
  for (const action of deps.manifest.actions.values()) {
    const { path } = action.declared
    if (path === undefined) continue
    app.post(path, async (c) => {
      const call = c.get('call')
      deps.onCall(call)
      const body = new Uint8Array(await c.req.arrayBuffer())
      const reply = await answer(deps, action, call, body)
      if (reply !== undefined) return response(reply)
      c.env.outgoing.socket?.destroy()
      // Nobody is left to read this.
      return response({ httpStatus: 500, body: '{}' })
    })
  }
  app.notFound((c) => c.json({ code: 'no_such_action' }, 404))
  app.onError((_error, c) => c.json({ code: 'internal_error' }, 500))
  return app
}

/** Honours a notice, or misbehaves as a switch says. */
async function answerNotice({ notices, switches }: SkillAppDeps, request: Request): Promise<Response> {
  switch (switches().notices) {
    case 'fail':
      return new Response('{}', { status: 500 })
    case 'unsigned':
      return Response.json({ status: 'deleted' })
    default:
      return handleDeletionNotice(notices, request)
  }
}

/** Undefined when the connection is to be cut instead. */
async function answer(
  { engine, switches, killProcess }: SkillAppDeps,
  action: LoadedAction,
  call: VerifiedCall,
  body: Uint8Array,
): Promise<SkillReply | undefined> {
  const { dieOn, slow, wrongShape, acceptLater } = switches()
  const { name } = action.declared
  const isDying = dieOn?.action === name
  const isKilled = isDying && dieOn.how === 'process'
  if (isDying && dieOn.when === 'before') {
    if (isKilled) killProcess()
    return undefined
  }
  const reply = engine.call(action, call, body)
  if (isKilled) killProcess()
  if (isDying) return undefined
  if (slow?.action === name) await new Promise((resolve) => setTimeout(resolve, slow.ms))
  if (wrongShape === name) return { httpStatus: 200, body: '{"surprise":true}' }
  if (acceptLater === name) return { httpStatus: 202, body: '{}' }
  return reply
}

function response({ httpStatus, body }: SkillReply): Response {
  return new Response(body, { status: httpStatus, headers: { 'content-type': 'application/json' } })
}

/** What of a Hono app is needed to serve it. */
export interface Servable {
  fetch(request: Request, env: object): Response | Promise<Response>
}

export interface Listening {
  /** `http://127.0.0.1:port`, without a trailing slash. */
  readonly baseUrl: string
  close(): Promise<void>
}

/**
 * Listens on loopback; port 0 takes a free one. The app is made once the address is known, because a skill's own
 * address is part of what it verifies. Rejects when the port is taken.
 */
export function listenOnLoopback(port: number, appFor: (baseUrl: string) => Servable): Promise<Listening> {
  return new Promise((resolve, reject) => {
    let app: Servable | undefined
    const server = serve(
      {
        fetch: (request, env) => app?.fetch(request, env) ?? new Response(null, { status: 503 }),
        port,
        hostname: '127.0.0.1',
      },
      (info) => {
        const baseUrl = `http://127.0.0.1:${info.port}`
        app = appFor(baseUrl)
        resolve({
          baseUrl,
          close: () =>
            new Promise((done) => {
              server.close(() => done())
              if ('closeAllConnections' in server) server.closeAllConnections()
            }),
        })
      },
    )
    server.on('error', reject)
  })
}
