import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { accessibilityFaults, isTooWide, type Window } from './browser-world.ts'
import { pageFaults } from './page-faults.ts'

/** Where pictures of all pages go for whoever wants to look at them; none are taken otherwise. */
const PICTURES = process.env.COUNTERSIGN_PICTURES

/**
 * Looks at a page as it stands: what axe-core finds, whether it has to be scrolled sideways, and whether anything on
 * it runs or styles inline. Folded parts are unfolded for it.
 */
export async function lookAt({ page, hasScript }: Window, name: string): Promise<void> {
  expect([name, pageFaults(await page.content())]).toEqual([name, []])
  const isChinese = (await page.locator('html').getAttribute('lang')) === 'zh-CN'
  const width = page.viewportSize()?.width ?? 0
  if (PICTURES !== undefined) {
    mkdirSync(PICTURES, { recursive: true })
    const file = `${name.replace(/[^a-z0-9-]+/gi, '_')}-${isChinese ? 'zh' : 'en'}-${width}.png`
    await page.screenshot({ path: join(PICTURES, file), fullPage: true })
  }
  // Without script the rules cannot be run in the page either.
  if (!hasScript) return
  await page.evaluate(`document.querySelectorAll('details').forEach((one) => { one.open = true })`)
  expect([name, await accessibilityFaults(page)]).toEqual([name, []])
  expect([name, await isTooWide(page)]).toEqual([name, false])
}
