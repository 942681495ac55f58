import { createTestDatabase } from '../support/postgres-database.ts'
import { sequencedStore } from '../support/sequence-queue.ts'
import { NOW_MS } from './sample-rows.ts'
import { describeStore } from './store-contract.ts'

describeStore('the store on PostgreSQL', async () => {
  const database = await createTestDatabase()
  const clocks = { wallMs: () => NOW_MS, monotonicMs: () => 0 }
  const store = sequencedStore(await database.open({ clocks }))
  return {
    store,
    async remove() {
      await store.close()
      await database.drop()
    },
  }
})
