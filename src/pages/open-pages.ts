import type { PageSurface } from '../http/surface-route.ts'
import { cspReportRoute } from './csp-report.ts'
import { allPages, type PageDeps } from './pages.ts'
import { createPageSurface, type PageSurfaceOptions } from './serve-page.ts'

/** All pages over one broker, with how a browser's session is looked up. */
export function openPages(
  deps: Omit<PageDeps, 'isSecure'>,
  sessions: Pick<PageSurfaceOptions, 'findPerson' | 'isSteppedUp'>,
): PageSurface {
  const { issuer } = deps.broker.settings
  return createPageSurface({
    pages: allPages({ ...deps, isSecure: issuer.startsWith('https:') }),
    issuer,
    nowMs: deps.nowMs,
    others: [cspReportRoute(deps.broker)],
    ...sessions,
  })
}
