// The real broker, and beside it a second listener over the same broker for decisions alone.
import { z } from 'zod'
import { createApp } from '../../src/http/app.ts'
import { listen } from '../../src/http/server.ts'
import { sharedPlace, startBenchBroker, UNLIMITED_PER_MINUTE } from './bench-broker.ts'
import { postgresCounter, sqliteCounter } from './count-statements.ts'
import { decisionRoute } from './decision-route.ts'
import { runWorker } from './run-worker.ts'

const options = z.strictObject({
  folder: z.string(),
  port: z.int(),
  skillOrigin: z.string(),
  publicUrl: z.string(),
  shared: sharedPlace.optional(),
})
const RATE = { perMinute: UNLIMITED_PER_MINUTE, burst: UNLIMITED_PER_MINUTE, keysMost: 50_000 }

await runWorker(options, async (given) => {
  const running = await startBenchBroker(given)
  const server = await listen('127.0.0.1', 0)
  const app = createApp({
    broker: running.broker,
    routes: [decisionRoute(running.broker)],
    allowedHosts: [`127.0.0.1:${server.port}`],
    allowsDevelopmentTokens: false,
    rateLimits: { address: RATE, agent: RATE, user: RATE },
  })
  const counter = given.shared ? postgresCounter() : sqliteCounter()
  const { fetch } = app
  server.serve({ ...app, fetch: (...args) => counter.serve(() => fetch(...args)) })
  return {
    ports: { actions: given.port, decisions: server.port },
    count: counter.count,
    async stop() {
      await server.stop(1_000)
      await running.stop()
    },
  }
})
