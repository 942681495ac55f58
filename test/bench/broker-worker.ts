// The real broker, and beside it a second listener over the same broker for decisions alone.
import { z } from 'zod'
import { createApp } from '../../src/http/app.ts'
import { listen } from '../../src/http/server.ts'
import { startBenchBroker, UNLIMITED_PER_MINUTE } from './bench-broker.ts'
import { decisionRoute } from './decision-route.ts'
import { runWorker } from './run-worker.ts'

const options = z.strictObject({ folder: z.string(), port: z.int(), skillOrigin: z.string() })
const RATE = { perMinute: UNLIMITED_PER_MINUTE, burst: UNLIMITED_PER_MINUTE, keysMost: 50_000 }

await runWorker(options, async (given) => {
  const running = await startBenchBroker(given)
  const server = await listen('127.0.0.1', 0)
  server.serve(
    createApp({
      broker: running.broker,
      routes: [decisionRoute(running.broker)],
      allowedHosts: [`127.0.0.1:${server.port}`],
      allowsDevelopmentTokens: false,
      rateLimits: { address: RATE, agent: RATE, user: RATE },
    }),
  )
  return {
    ports: { actions: given.port, decisions: server.port },
    async stop() {
      await server.stop(1_000)
      await running.stop()
    },
  }
})
