import type { AlwaysTexts } from './always-en.ts'

export const ALWAYS_ZH: AlwaysTexts = {
  title: '以后都允许同类操作',
  intro: (agent, action) =>
    `你将为${agent}新增一项只针对${action}的授权，与之前允许的内容并存。之后只要下面的限制全部满足，就不再询问。`,
  sameTitle: '必须与这次相同',
  sameHint: '取消勾选的项目，下次可以是任何内容。',
  fixed: '必须',
  atMost: (value) => `最多 ${value}`,
  times: '每天最多几次',
  dayLimit: '每天最多多少钱',
  days: '有效期',
  review: '查看将允许的内容',
  reviewTitle: '你将允许以下内容',
  allow: '允许',
  back: '返回',
  notOffered: '这类操作不能预先允许，每次都必须询问。',
  invalid: '请输入从 1 开始的整数，金额的小数位数不能超过该货币的位数。',
  shownDiffers: '在此期间内容有变化。请重新阅读后再选择。',
  recovered: '你刚刚恢复过账户。一天之内不能授予更多权限。',
  stepUpNote: '允许此项需要使用你的通行密钥或安全密钥。',
}
