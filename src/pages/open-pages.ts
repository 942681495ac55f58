import type { PageSurface } from '../http/surface-route.ts'
import { pushWorkerRoute } from './assets.ts'
import { cspReportRoute } from './csp-report.ts'
import type { Page } from './page.ts'
import { allPages, type PageDeps } from './pages.ts'
import { createPageSurface, type PageSurfaceOptions } from './serve-page.ts'

/**
 * All pages over one broker, with how a browser's session is looked up.
 *
 * @param more pages of other surfaces, such as those on which a program is connected.
 */
export function openPages(
  deps: Omit<PageDeps, 'isSecure'>,
  sessions: Pick<PageSurfaceOptions, 'findPerson' | 'isSteppedUp'>,
  more: readonly Page[] = [],
): PageSurface {
  const { issuer } = deps.broker.settings
  return createPageSurface({
    pages: [...allPages({ ...deps, isSecure: issuer.startsWith('https:') }), ...more],
    issuer,
    nowMs: deps.nowMs,
    others: [cspReportRoute(deps.broker), pushWorkerRoute()],
    ...sessions,
  })
}
