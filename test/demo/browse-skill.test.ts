import { describe, expect, it } from 'vitest'
import { codeOf, openSkill } from './open-skill.ts'
import type { SkillClient, SkillRequest } from './skill-client.ts'

describe('the browsing skill', () => {
  const openPage = async (client: SkillClient, path: string): Promise<string> => {
    const page = await client.result({ action: 'open_page', args: { url: `https://shop.example${path}` } })
    return String(page.tab_id)
  }

  it('serves a page that tries to give the agent orders, as it was written', async () => {
    const { client } = await openSkill('web.browse')
    const page = await client.result({
      action: 'read_page',
      args: { tab_id: await openPage(client, '/reviews') },
    })
    expect(page.text).toContain('ignore your earlier instructions')
    expect(page.text).toContain('<tool_call>')
    expect(page.text).toContain('</tool_response>')
  })

  it('follows a link only under the label that was decided on', async () => {
    const { client } = await openSkill('web.browse')
    const tabId = await openPage(client, '/')
    const click = (label: string): SkillRequest => ({
      action: 'click',
      args: { tab_id: tabId, element_ref: 'nav-beans', expected_label: label },
    })
    expect(await codeOf(await client.call(click('Delete everything')))).toEqual([409, 'label_changed'])
    expect(await client.result(click('Beans'))).toMatchObject({ final_url: 'https://shop.example/beans' })
  })

  it('submits a form to its own site only, and only when it is filled in', async () => {
    const { client } = await openSkill('web.browse')
    const tabId = await openPage(client, '/contact')
    const submit = (origin: string): SkillRequest => ({
      action: 'submit_form',
      args: { tab_id: tabId, form_ref: 'contact', origin },
    })
    expect(await codeOf(await client.call(submit('https://shop.example/')))).toEqual([409, 'field_missing'])
    const fields = ['name', 'mail', 'message'].map((ref) => ({ ref, value: 'x', data_class: 'contact' }))
    await client.result({ action: 'fill_form', args: { tab_id: tabId, fields } })
    expect(await codeOf(await client.call(submit('https://evil.example/')))).toEqual([409, 'other_origin'])
    expect(await client.result(submit('https://shop.example/'))).toMatchObject({ page_title: 'Thank you' })
  })

  it('downloads a file within the size that was allowed', async () => {
    const { client } = await openSkill('web.browse')
    const download = (maxBytes: number): SkillRequest => ({
      action: 'download',
      args: { url: 'https://shop.example/files/prices.csv', max_bytes: maxBytes },
    })
    expect(await client.result(download(1_000))).toMatchObject({
      file_name: 'prices.csv',
      media_type: 'text/csv',
    })
    expect(await codeOf(await client.call(download(10)))).toEqual([409, 'file_too_large'])
  })

  it("does not show another user's tab", async () => {
    const { client } = await openSkill('web.browse')
    const tabId = await openPage(client, '/')
    const answer = await client.call({ action: 'read_page', args: { tab_id: tabId }, userId: 'usr_other' })
    expect(answer.status).toBe(404)
  })
})
