import type { Broker } from '../broker/broker.ts'
import type { Route } from '../http/route.ts'
import { discoveryRoute } from './discovery-route.ts'
import { evaluationRoutes } from './evaluation-routes.ts'
import { reservationRoutes } from './reservation-routes.ts'
import { searchRoutes } from './search-routes.ts'

/** The surface for gateways that enforce by themselves (OpenID AuthZEN 1.0, and reservations in its style). */
export function accessRoutes(broker: Broker): Route[] {
  return [
    ...evaluationRoutes(broker),
    ...searchRoutes(broker),
    ...reservationRoutes(broker),
    discoveryRoute(broker.settings.issuer),
  ]
}
