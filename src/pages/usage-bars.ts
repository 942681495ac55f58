import { html } from 'hono/html'
import type { BudgetUsage } from '../broker/budget-usage.ts'
import type { Speaker } from '../core/grant/speaker.ts'
import type { Html } from './page.ts'
import type { AuthorityTexts } from './texts/authority-en.ts'

/** How much of each limit is used, as a bar and in words that say the same. */
export function usageBars(
  usage: readonly BudgetUsage[],
  speaker: Speaker,
  t: AuthorityTexts,
  actionTitle: (name: string) => string,
): Html {
  return html`<ul class="plain">${usage.map((one) => html`<li class="tight">${usageBar(one, speaker, t, actionTitle)}</li>`)}</ul>`
}

function usageBar(
  { budget, used }: BudgetUsage,
  speaker: Speaker,
  t: AuthorityTexts,
  actionTitle: (name: string) => string,
): Html {
  const say = (value: number) =>
    budget.measure === 'amount' ? speaker.money(value, budget.currency) : speaker.times(value)
  const about =
    budget.action === undefined ? '' : html`<p class="small strong">${actionTitle(budget.action)}</p>`
  if (!used) return html`${about}<p class="small">${t.perAction(say(budget.limit))}</p>`
  const total = used.held + used.captured
  const text = t.used(say(total), say(budget.limit), speaker.window(budget.window))
  // A limit lowered below what is used is full, and no bar is longer than itself.
  const most = Math.max(1, budget.limit)
  const isFull = total >= budget.limit
  return html`${about}<progress max="${String(most)}" value="${String(Math.min(total, most))}" aria-label="${text}"${isFull ? html` class="full"` : ''}></progress>
<p class="small">${text}</p>${used.held > 0 ? html`<p class="small dim">${t.usedHeld(say(used.held))}</p>` : ''}`
}
