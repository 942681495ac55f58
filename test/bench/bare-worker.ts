// The yardstick: what the same server and framework do with the same requests when nothing is decided.
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { z } from 'zod'
import { runWorker } from './run-worker.ts'

const options = z.strictObject({ path: z.string(), answer: z.record(z.string(), z.string()) })

await runWorker(options, async ({ path, answer }) => {
  const app = new Hono()
  app.post(path, async (c) => {
    const body: unknown = await c.req.json()
    return typeof body === 'object' ? c.json(answer, 201) : c.json({}, 400)
  })
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
      resolve({
        ports: { http: port },
        stop: () =>
          new Promise((done) => {
            server.close(() => done())
            if ('closeAllConnections' in server) server.closeAllConnections()
          }),
      }),
    )
  })
})
