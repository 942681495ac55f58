import { AuthorityChanges } from '../broker/authority-changes.ts'
import type { Broker } from '../broker/broker.ts'
import { cancelInFlight } from '../broker/cancel-in-flight.ts'
import { HeldQuestions } from '../broker/held-questions.ts'
import type { CheckpointPublisher } from '../broker/publish-checkpoint.ts'
import { openLogReader } from '../broker/read-log.ts'
import type { KeyRing } from '../ports/key-ring.ts'
import { actionRoutes } from './action-routes.ts'
import { agentRoutes } from './agent-routes.ts'
import { approvalRoutes } from './approval-routes.ts'
import { authorityRoutes } from './authority-routes.ts'
import { consentRoutes } from './consent-routes.ts'
import { documentationRoutes } from './documentation-routes.ts'
import { erasureRoutes } from './erasure-routes.ts'
import { exportRoute } from './export-route.ts'
import { grantRoutes } from './grant-routes.ts'
import { guardRoutes } from './guard-routes.ts'
import { limitRoutes } from './limit-routes.ts'
import { logRoutes } from './log-routes.ts'
import { memoryRoutes } from './memory-routes.ts'
import { notMeRoute } from './not-me-route.ts'
import { noticeRoutes } from './notice-routes.ts'
import { operatorActionRoutes } from './operator-action-routes.ts'
import { operatorAskingRoute } from './operator-asking-route.ts'
import { operatorEnforcementRoutes } from './operator-enforcement-routes.ts'
import { operatorEpochRoutes } from './operator-epoch-routes.ts'
import { operatorRegistryRoutes } from './operator-registry-routes.ts'
import { operatorRestoreRoutes } from './operator-restore-routes.ts'
import { operatorRoutes } from './operator-routes.ts'
import { operatorUndoRoutes } from './operator-undo-routes.ts'
import { pastLogRoutes } from './past-log-routes.ts'
import { publisherRoutes } from './publisher-routes.ts'
import { revocationRoutes } from './revocation-routes.ts'
import type { Route } from './route.ts'
import { serviceRoutes } from './service-routes.ts'
import { skillRoutes } from './skill-routes.ts'
import { statusListRoutes } from './status-list-routes.ts'

/**
 * Every route of the HTTP surface, in the order the documentation shows them.
 *
 * @param further routes that are made from more than the broker; they are documented as all others are.
 */
export function allRoutes(
  broker: Broker,
  keys: KeyRing,
  publisher: CheckpointPublisher,
  held = new HeldQuestions(broker, new AuthorityChanges()),
  further: readonly Route[] = [],
): Route[] {
  const cancel = (actionIds: readonly string[]) => cancelInFlight(broker, actionIds)
  const routes = [
    ...actionRoutes(broker, publisher),
    ...guardRoutes(broker),
    notMeRoute(broker, cancel),
    ...consentRoutes(broker, held),
    ...approvalRoutes(broker, held),
    ...grantRoutes(broker, cancel),
    ...revocationRoutes(broker, publisher),
    ...agentRoutes(broker, cancel),
    ...authorityRoutes(broker),
    ...limitRoutes(broker),
    ...memoryRoutes(broker),
    ...noticeRoutes(broker, publisher),
    ...erasureRoutes(broker),
    exportRoute(broker, publisher),
    ...skillRoutes(broker),
    ...publisherRoutes(broker),
    ...operatorActionRoutes(broker),
    ...operatorUndoRoutes(broker),
    ...operatorRoutes(broker, keys, cancel),
    operatorAskingRoute(broker),
    ...operatorRegistryRoutes(broker),
    ...operatorEnforcementRoutes(broker),
    ...operatorRestoreRoutes(broker),
    ...operatorEpochRoutes(broker),
    ...logRoutes(openLogReader(broker, publisher)),
    ...pastLogRoutes(broker),
    ...serviceRoutes(broker, publisher),
    ...statusListRoutes(broker),
    ...further,
  ]
  return [...routes, ...documentationRoutes(routes, broker.settings.issuer)]
}
