import type { MemoryTexts } from './memory-en.ts'

export const MEMORY_ZH: MemoryTexts = {
  title: '智能体记住了您的什么',
  intro:
    '只有写下它的智能体，在其权限有效期间才能读取。到了此处显示的时间，内容会被销毁，而不只是隐藏。选择忘记会立即销毁。',
  emptyTitle: '没有任何记忆',
  emptyText: '当智能体为以后保留内容时，会显示在这里：内容、由谁保留、用途和期限。',
  by: (agent) => `由 ${agent} 保留`,
  agentGone: '已不存在的智能体',
  key: '名称',
  content: '记住的内容',
  purpose: '用途',
  keptSince: (date) => `自 ${date}`,
  until: (date) => `至 ${date}`,
  sessionOnly: '仅限本次会话',
  claim: '用途和内容由智能体自行填写，未经核实。',
  limits: {
    asked: '智能体只要求保留到此时',
    manifest: '该技能不允许保留更久',
    grant: '您不允许保留更久',
    grant_expiry: '您的授权届时结束',
    platform: '平台不保留更久',
    session: '随会话结束',
  },
  forget: '忘记',
  forgetAll: '全部忘记',
  forgetAllText: '此列表所有页面中的内容都会被销毁，无法撤销。',
  forgotten: '已忘记：任何人都无法再读取。',
  held: '任何人都无法再读取。因法律保留要求，内容将保持密封，直到解除保留后销毁。',
  gone: '该内容已不存在。',
  older: '更早',
  newest: '最新',
}
