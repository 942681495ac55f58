import { type BackgroundLoop, startLoop } from './broker/background-loop.ts'
import type { Broker } from './broker/broker.ts'
import {
  fencedStore,
  type LeasedWork,
  LONE_LEASES,
  openLeases,
  SHARED_LEASES,
  startLeasedLoop,
} from './broker/leases.ts'
import { type LogWatch, openLogWatch } from './broker/log-watch.ts'
import {
  type CheckpointPublisher,
  NothingPublished,
  openCheckpointPublisher,
} from './broker/publish-checkpoint.ts'
import { openSequencer } from './broker/sequence-log.ts'
import { takeUpFromSilentNodes, takeUpLost, takeUpUnsettled } from './broker/take-up-unsettled.ts'
import type { CheckpointRegister } from './ports/checkpoint-register.ts'

const SEQUENCE_PAUSE_MS = 100
const TAKE_UP_PAUSE_MS = 1_000

export type RunningNode = {
  readonly publisher: CheckpointPublisher
  readonly watch: LogWatch
  /** Repeats work on whichever node holds its lease; its writes check that it still does. */
  loop(
    lease: LeasedWork,
    name: string,
    pauseMs: number,
    work: (leased: Broker) => () => Promise<unknown>,
  ): BackgroundLoop
  /** Publishes what there is, and gives back what this node held. */
  stop(): Promise<void>
}

/**
 * Makes this process a node of its database: takes the leases that are free, takes up what ended processes left, and
 * keeps log and checkpoint going. From then on the broker's admission says whether it may decide.
 */
export async function startNode(
  broker: Broker,
  register: CheckpointRegister,
  isShared: boolean,
): Promise<RunningNode> {
  const { logger } = broker
  const leases = openLeases(broker.store, {
    ...(isShared ? SHARED_LEASES : LONE_LEASES),
    nodeId: broker.nodeId,
  })
  await leases.holdAll()
  leases.start(logger)

  const sequencing = leases.of('sequencer')
  const sequencer = isShared ? openSequencer(broker, sequencing) : undefined
  const publisher = openCheckpointPublisher(broker, register, isShared ? sequencing : undefined, sequencer)
  const watch = openLogWatch(broker, () => leases.isLive())
  broker.admission = watch

  function loop(
    work: LeasedWork,
    name: string,
    pauseMs: number,
    run: (leased: Broker) => () => Promise<unknown>,
  ): BackgroundLoop {
    const lease = leases.of(work)
    const leased = { ...broker, store: fencedStore(broker.store, lease) }
    return startLeasedLoop(lease, { name, pauseMs, logger }, run(leased))
  }

  const loops: BackgroundLoop[] = []
  if (isShared) {
    loops.push(
      startLoop('take_up_lost', TAKE_UP_PAUSE_MS, logger, () => takeUpLost(broker)),
      loop('take_up', 'take_up_silent', TAKE_UP_PAUSE_MS, (leased) => () => takeUpFromSilentNodes(leased)),
    )
  } else {
    const takenUp = await takeUpUnsettled(broker)
    if (takenUp > 0) logger.warn('taken_up_in_doubt', { count: takenUp })
  }
  await publisher.publishNow().catch((error: unknown) => {
    // Whoever signs has not yet; it is served as soon as there is something.
    if (!(error instanceof NothingPublished)) throw error
  })
  await watch.look()
  publisher.start()
  watch.start()
  if (sequencer) {
    loops.push(
      startLeasedLoop(sequencing, { name: 'sequence_log', pauseMs: SEQUENCE_PAUSE_MS, logger }, () =>
        sequencer.run(),
      ),
    )
  }

  return {
    publisher,
    watch,
    loop,
    async stop() {
      await Promise.all([watch.stop(), ...loops.map((one) => one.stop())])
      await publisher.stop()
      await leases.stop()
    },
  }
}
