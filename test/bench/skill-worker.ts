// A skill as small as one can be that verifies every call: the cost of a whole action should be the broker's.
import { createServer } from 'node:http'
import { z } from 'zod'
import { createSkillGuard } from '../../src/sdk/skill-guard.ts'
import { nodeSkillGuard } from '../../src/sdk/skill-guard-node.ts'
import { runWorker } from './run-worker.ts'

const options = z.strictObject({ port: z.int(), issuer: z.string(), keysUrl: z.string() })

await runWorker(options, async ({ port, issuer, keysUrl }) => {
  const guard = createSkillGuard({ issuer, baseUrl: `http://127.0.0.1:${port}`, keys: { url: keysUrl } })
  const server = createServer(
    nodeSkillGuard(guard, (call, _body, _request, response) => {
      const result = {
        order_id: 'ord_2026112300042',
        pickup_code: 'A042',
        ready_at: '2026-11-23T08:06:00Z',
        charged_amount: call.amountMinor,
        currency: call.currency,
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result))
    }),
  )
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    ports: { http: port },
    stop: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
})
