import type { MessageKind } from '../ports/messenger.ts'
import type { MailWords, MessageText } from './texts-en.ts'

/** The same messages for who reads 简体中文. */
export const MESSAGES_ZH: Readonly<Record<MessageKind, MessageText>> = {
  approval_waiting: {
    title: '有智能体在等你的答复',
    body: '在你同意或拒绝之前它不能继续。请登录查看它究竟要做什么。',
  },
  consent_waiting: {
    title: '有智能体请求你的许可',
    body: '在你答复之前什么都不允许。请登录查看它请求什么。',
  },
  recovered: {
    title: '你的账户已用恢复码找回',
    body: '恢复码已被使用，所有登录会话均已结束。如果不是你本人，请立即联系你的平台。',
  },
  security_changed: {
    title: '你的登录方式已更改',
    body: '如果不是你本人，请立即登录并查看安全页面。',
  },
  agent_connected: {
    title: '有智能体已连接',
    body: '连接本身不给它任何权限。如果不是你本人操作，请断开它。',
  },
  connection_moved: {
    title: '一个连接接替了另一个',
    body: '它现在持有旧连接的权限。如果不是你本人操作，请立即断开它。',
  },
  grant_expires_unused: {
    title: '一项无人使用的权限即将结束',
    body: '它很快会自行结束。如需保留，请使用或更改它。',
  },
  grant_expired_unused: { title: '一项无人使用的权限已结束', body: '它不能再用来做任何事。' },
  incident: { title: '有事需要你留意', body: '请登录查看已停止的内容以及接下来会怎样。' },
  account_linked: { title: '有账户已关联', body: '如果不是你本人操作，请立即登录并解除关联。' },
  account_unlinked: { title: '有账户已解除关联', body: '用来使用它的内容已被销毁。' },
  erasure_scheduled: {
    title: '你的数据将被删除',
    body: '在此之前你可以登录并停止删除。其间不允许任何操作。',
  },
  erasure_cancelled: { title: '删除已停止', body: '你的数据会保留。' },
  erased: { title: '你的数据已删除', body: '再也没有人能读到它，这个地址现在也会被忘记。' },
  export_ready: { title: '你的数据已准备好', body: '请登录领取。' },
}

export const MAIL_ZH: MailWords = {
  several: (count) => `有 ${count} 个问题在等待。`,
  open: '打开（需要登录）：',
  footer: '本消息有意不含任何细节，其中的链接本身不会执行任何操作。',
  codeTitle: '你的确认码',
  codeBody: (code) => `你的确认码是 ${code}，15 分钟内有效。如果不是你请求的，请忽略。`,
  greetTitle: '通知已开启',
  greetBody: '有智能体等待你时，会在这里通知你。',
}
