import { join } from 'node:path'
import type { Broker } from '../../src/broker/broker.ts'
import { type NodeLeases, openLeases, SHARED_LEASES } from '../../src/broker/leases.ts'
import { type LogWatch, openLogWatch } from '../../src/broker/log-watch.ts'
import { type CheckpointPublisher, openCheckpointPublisher } from '../../src/broker/publish-checkpoint.ts'
import { openSequencer, type Sequencer } from '../../src/broker/sequence-log.ts'
import type { CheckpointRegister } from '../../src/ports/checkpoint-register.ts'
import type { Store } from '../../src/ports/store.ts'
import { openCheckpointRegisterFile } from '../../src/store/checkpoint-register-file.ts'
import { createTestDatabase, type TestDatabase } from './postgres-database.ts'
import { createTestBroker, idSequence, type TestBroker, type TestBrokerOptions } from './test-broker.ts'

/** One process of several on a database, without its surfaces and its timers. */
export type TestNode = {
  readonly id: string
  readonly broker: Broker
  readonly leases: NodeLeases
  readonly sequencer: Sequencer
  readonly publisher: CheckpointPublisher
  readonly watch: LogWatch
  /** Its clock that never steps; stands still until told. */
  readonly monotonic: { nowMs: number }
}

export type TestNodes = {
  readonly database: TestDatabase
  /** What all nodes share: keys, cells, the skill. */
  readonly shared: TestBroker
  readonly register: CheckpointRegister
  /** Opens another node. `around` wraps its store. */
  open(id: string, around?: (store: Store) => Store): Promise<TestNode>
  /** Ends every lease at once, as time does while a process is paused. */
  endLeases(): Promise<void>
  close(): Promise<void>
}

/** Several nodes on one PostgreSQL database, with one register and one set of keys. */
export async function testNodes(options: TestBrokerOptions = {}): Promise<TestNodes> {
  const database = await createTestDatabase()
  const shared = await createTestBroker(options)
  const register = openCheckpointRegisterFile(join(shared.folder, 'register.json'))
  const stores: Store[] = []
  return {
    database,
    shared,
    register,
    async open(id, around = (store) => store) {
      const opened = await database.open()
      stores.push(opened)
      const store = around(opened)
      const monotonic = { nowMs: 0 }
      const monotonicMs = () => monotonic.nowMs
      const leases = openLeases(store, { ...SHARED_LEASES, nodeId: id, monotonicMs })
      const lease = leases.of('sequencer')
      const base: Broker = {
        ...shared.broker,
        store,
        nodeId: id,
        newId: idSequence(`${database.name} ${id}`),
      }
      const watch = openLogWatch(base, () => leases.isLive(), monotonicMs)
      const broker: Broker = { ...base, admission: watch }
      return {
        id,
        broker,
        leases,
        sequencer: openSequencer(broker, lease),
        publisher: openCheckpointPublisher(broker, register, lease),
        watch,
        monotonic,
      }
    },
    async endLeases() {
      await database.query('update leases set expires_at_ms = 0')
    },
    async close() {
      await Promise.all(stores.map((store) => store.close()))
      await database.drop()
      await shared.close()
    },
  }
}
