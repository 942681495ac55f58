import { createHash } from 'node:crypto'
import { z } from 'zod'
import { FILES, PAGES, SHOP_ORIGIN, shopPath } from './browse-site.ts'
import { shortId } from './short-id.ts'
import { type CallContext, handlersOf, type SkillDefinition } from './skill-definition.ts'

const opened = z.object({
  type: z.literal('opened'),
  userId: z.string(),
  tabId: z.string(),
  url: z.string(),
})
const filled = z.object({
  type: z.literal('filled'),
  userId: z.string(),
  tabId: z.string(),
  fields: z.array(z.string()),
})
const event = z.discriminatedUnion('type', [opened, filled])

type BrowseEvent = z.infer<typeof event>
interface Tab {
  readonly userId: string
  readonly url: string
  readonly filled: readonly string[]
}
interface BrowseState {
  readonly tabs: Map<string, Tab>
}

const handle = handlersOf<BrowseState, BrowseEvent>()

/** A browser without a network: it knows one fictional shop, one of whose pages tries to give the agent orders. */
export const browseSkill: SkillDefinition<BrowseState, BrowseEvent> = {
  skill: 'web.browse',
  event,
  newState: () => ({ tabs: new Map() }),
  apply(state, change) {
    if (change.type === 'opened') {
      state.tabs.set(change.tabId, { userId: change.userId, url: change.url, filled: [] })
      return
    }
    const tab = state.tabs.get(change.tabId)
    if (tab) state.tabs.set(change.tabId, { ...tab, filled: [...tab.filled, ...change.fields] })
  },
  handlers: {
    open_page: handle(z.object({ url: z.string() }), ({ url }, _state, { call }) => {
      const tabId = shortId('tab', call.brokerKey)
      const page = pageAt(url)
      const result = {
        tab_id: tabId,
        final_url: url,
        page_title: page?.title ?? 'Not found',
        http_status: page ? 200 : 404,
      }
      return { kind: 'done', result, events: [{ type: 'opened', userId: call.userId, tabId, url }] }
    }),

    read_page: handle(z.object({ tab_id: z.string() }), ({ tab_id }, state, context) => {
      const tab = tabOf(state, tab_id, context)
      if (!tab) return { kind: 'missing' }
      const page = pageAt(tab.url)
      const targets = (page?.links ?? []).map(({ label, path }) => ({ label, url: SHOP_ORIGIN + path }))
      return { kind: 'done', result: { text: page?.text ?? '', is_cut: false, targets } }
    }),

    click: handle(
      z.object({ tab_id: z.string(), element_ref: z.string(), expected_label: z.string() }),
      (input, state, context) => {
        const tab = tabOf(state, input.tab_id, context)
        const link = tab && pageAt(tab.url)?.links.find(({ ref }) => ref === input.element_ref)
        if (!link) return { kind: 'refused', code: 'element_unknown' }
        // The label is what was decided on; a page that has changed under the agent is not clicked.
        if (link.label !== input.expected_label) return { kind: 'refused', code: 'label_changed' }
        const url = SHOP_ORIGIN + link.path
        const result = { tab_id: input.tab_id, final_url: url, page_title: pageAt(url)?.title ?? '' }
        const { userId } = context.call
        return { kind: 'done', result, events: [{ type: 'opened', userId, tabId: input.tab_id, url }] }
      },
    ),

    fill_form: handle(
      z.object({ tab_id: z.string(), fields: z.array(z.object({ ref: z.string() })) }),
      (input, state, context) => {
        const tab = tabOf(state, input.tab_id, context)
        const form = tab && pageAt(tab.url)?.form
        const fields = input.fields.map(({ ref }) => ref)
        if (!form || fields.some((ref) => !form.fields.includes(ref)))
          return { kind: 'refused', code: 'field_unknown' }
        const change = { type: 'filled', userId: context.call.userId, tabId: input.tab_id, fields } as const
        return { kind: 'done', result: { filled: fields.length }, events: [change] }
      },
    ),

    submit_form: handle(
      z.object({ tab_id: z.string(), form_ref: z.string(), origin: z.string() }),
      (input, state, context) => {
        const tab = tabOf(state, input.tab_id, context)
        const form = tab && pageAt(tab.url)?.form
        if (!tab || form?.ref !== input.form_ref) return { kind: 'refused', code: 'form_unknown' }
        if (!URL.canParse(input.origin) || new URL(input.origin).origin !== SHOP_ORIGIN)
          return { kind: 'refused', code: 'other_origin' }
        if (form.fields.some((ref) => !tab.filled.includes(ref)))
          return { kind: 'refused', code: 'field_missing' }
        const url = SHOP_ORIGIN + form.leadsTo
        const result = { final_url: url, page_title: pageAt(url)?.title ?? '', http_status: 200 }
        const { userId } = context.call
        return { kind: 'done', result, events: [{ type: 'opened', userId, tabId: input.tab_id, url }] }
      },
    ),

    download: handle(
      z.object({ url: z.string(), max_bytes: z.int() }),
      ({ url, max_bytes }, _state, { call }) => {
        const path = shopPath(url)
        const file = path === undefined ? undefined : FILES.get(path)
        if (!path || !file) return { kind: 'refused', code: 'file_unknown' }
        const bytes = Buffer.from(file.content)
        if (bytes.length > max_bytes) return { kind: 'refused', code: 'file_too_large' }
        const result = {
          file_id: shortId('file', call.brokerKey),
          file_name: path.slice(path.lastIndexOf('/') + 1),
          media_type: file.mediaType,
          size_bytes: bytes.length,
          sha256: createHash('sha256').update(bytes).digest('hex'),
        }
        return { kind: 'done', result }
      },
    ),
  },
}

function tabOf(state: BrowseState, tabId: string, { call }: CallContext): Tab | undefined {
  const tab = state.tabs.get(tabId)
  return tab?.userId === call.userId ? tab : undefined
}

function pageAt(url: string) {
  const path = shopPath(url)
  return path === undefined ? undefined : PAGES.get(path)
}
