import type { Broker } from '../broker/broker.ts'
import type { SurfaceRoute } from '../http/surface-route.ts'

const BYTES_MOST = 16_384

/**
 * Counts what browsers refused to run on our pages. Anybody can send such a report, so nothing of its words is kept:
 * that there are any is what an operator needs to see.
 */
export function cspReportRoute({
  recentRefusals,
  logger,
}: Pick<Broker, 'recentRefusals' | 'logger'>): SurfaceRoute {
  return {
    method: 'post',
    path: '/csp-report',
    async answer({ request, requestId }) {
      const length = Number(request.headers.get('content-length') ?? 0)
      if (length <= BYTES_MOST) await request.arrayBuffer().catch(() => undefined)
      recentRefusals.count('csp_report')
      logger.warn('csp_report', { requestId })
      return { status: 204 }
    },
  }
}
