import { describe, expect, it } from 'vitest'
import { examineStore } from '../../src/broker/doctor.ts'
import { liveBrokerLife } from '../support/broker-life.ts'
import { auditPermits, type OracleCounts } from '../support/permit-oracle.ts'
import { claimsOf } from '../support/skill-key.ts'

const STEPS = 300
const LIVES = [1, 2, 3, 4, 5, 6, 7, 8]

describe('the broker', () => {
  const seen: OracleCounts = { permits: 0, refusals: 0, settled: 0, released: 0, overtaken: 0, yesesUsed: 0 }

  it.each(LIVES)(
    'permits nothing that limits, people and operators forbid, whatever happens at once (life %i)',
    async (seed) => {
      const life = await liveBrokerLife(seed, STEPS)
      try {
        const test = await life.run(async (at) => {
          expect((await examineStore(at.broker.store)).faults).toEqual([])
        })
        expect((await examineStore(test.broker.store)).faults).toEqual([])
        const counts = await auditPermits(test, life.termsOf)
        for (const [name, count] of Object.entries(counts)) seen[name as keyof OracleCounts] += count

        const executions = [...life.sent.values()].map((call) => claimsOf(call).exe)
        expect(new Set(executions).size).toBe(executions.length)
        expect(executions.length).toBeLessThanOrEqual(counts.permits)
        expect(executions.length).toBeGreaterThan(10)
      } finally {
        await life.close()
      }
    },
  )

  it('came near its limits and used its questions often enough to prove something', () => {
    expect(seen.permits).toBeGreaterThan(400)
    expect(seen.refusals).toBeGreaterThan(100)
    expect(seen.settled).toBeGreaterThan(200)
    expect(seen.released).toBeGreaterThan(100)
    expect(seen.overtaken).toBeGreaterThan(2)
    expect(seen.yesesUsed).toBeGreaterThan(8)
  })
})
