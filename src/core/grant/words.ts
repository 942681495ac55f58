import type { Effect, Manifest } from '../manifest/manifest.ts'

export type Locale = 'en' | 'zh'

export type LocalInstant = {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly time: string
}

type CountWords = readonly [one: string, many: string]
/** What is registered of a deployment besides its name and thinking mode. */
export const DEPLOYMENT_DETAILS = [
  'checkpoint',
  'snapshot',
  'serviceAlias',
  'derivativeOf',
  'provider',
  'region',
  'scope',
  'host',
  'runtime',
  'repository',
  'revision',
  'checksum',
  'quantization',
  'licence',
] as const
export type DeploymentDetail = (typeof DEPLOYMENT_DETAILS)[number]

type Role = Manifest['recipients'][number]['role']

/** The words from which values are said; sentences-en.ts and sentences-zh.ts hold the sentences around them. */
type Words = {
  readonly separator: string
  readonly units: Readonly<Record<'day' | 'hour' | 'minute' | 'second' | 'millisecond', CountWords>>
  readonly times: CountWords
  readonly per_action: string
  readonly lifetime: string
  readonly calendar: Readonly<Record<'day' | 'week' | 'month', string>>
  readonly rolling: (span: string) => string
  readonly instant: (at: LocalInstant, zone: string) => string
  /** For a currency nobody here knows the decimals of. */
  readonly minorUnits: (minor: number, currency: string) => string
  readonly effects: Readonly<Record<Effect, string>>
  readonly roles: Readonly<Record<Role, string>>
  readonly every: (field: string) => string
  readonly anyEffect: string
  readonly yes: string
  readonly no: string
  readonly nothing: string
  readonly emptyText: string
  readonly emptyList: string
  readonly emptyObject: string
  readonly paths: Readonly<Record<'hosted' | 'self-hosted', string>>
  readonly details: Readonly<Record<DeploymentDetail, string>>
  readonly thinking: Readonly<Record<'on' | 'off' | 'hybrid', string>>
}

const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
)

export const WORDS: Readonly<Record<Locale, Words>> = {
  en: {
    separator: ', ',
    units: {
      day: [' day', ' days'],
      hour: [' hour', ' hours'],
      minute: [' minute', ' minutes'],
      second: [' second', ' seconds'],
      millisecond: [' millisecond', ' milliseconds'],
    },
    times: [' time', ' times'],
    per_action: 'in a single action',
    lifetime: 'in total, without end',
    calendar: {
      day: 'in a calendar day',
      week: 'in a week from Monday to Sunday',
      month: 'in a calendar month',
    },
    rolling: (span) => `within any ${span}`,
    instant: ({ year, month, day, time }, zone) =>
      `${day} ${MONTHS[month - 1] ?? ''} ${year} at ${time} (${zone})`,
    minorUnits: (minor, currency) => `${minor} of the smallest unit of ${currency}`,
    effects: {
      read: 'reads something',
      'state-change': 'changes something',
      spend: 'spends money',
      physical: 'acts in the physical world',
      egress: 'sends data to someone new',
      authority: 'changes who may do or receive something',
    },
    roles: {
      merchant: 'merchant',
      payment: 'payment service',
      courier: 'courier',
      counterparty: 'other party',
      processor: 'processes data for others',
      site: 'website',
      operator: 'operator of the service',
    },
    every: (field) => `every ${field}`,
    anyEffect: 'everything that does more than read',
    yes: 'yes',
    no: 'no',
    nothing: '(nothing)',
    emptyText: '(empty text)',
    emptyList: '(empty list)',
    emptyObject: '(no entries)',
    paths: { hosted: 'run by a provider', 'self-hosted': 'run on a machine of its own' },
    details: {
      checkpoint: 'checkpoint',
      snapshot: 'fixed version',
      serviceAlias: 'alias',
      derivativeOf: 'derived from',
      provider: 'provider',
      region: 'data rests in',
      scope: 'computing in',
      host: 'host',
      runtime: 'run with',
      repository: 'from',
      revision: 'revision',
      checksum: 'checksum',
      quantization: 'quantization',
      licence: 'licence',
    },
    thinking: { on: 'thinking on', off: 'thinking off', hybrid: 'thinking as needed' },
  },
  zh: {
    separator: '、',
    units: {
      day: [' 天', ' 天'],
      hour: [' 小时', ' 小时'],
      minute: [' 分钟', ' 分钟'],
      second: [' 秒', ' 秒'],
      millisecond: [' 毫秒', ' 毫秒'],
    },
    times: [' 次', ' 次'],
    per_action: '单次操作',
    lifetime: '总共（不限时间）',
    calendar: { day: '每个自然日', week: '每周（周一至周日）', month: '每个自然月' },
    rolling: (span) => `任意连续 ${span}内`,
    instant: ({ year, month, day, time }, zone) => `${year} 年 ${month} 月 ${day} 日 ${time}（${zone}）`,
    minorUnits: (minor, currency) => `${minor} 个 ${currency} 最小单位`,
    effects: {
      read: '会读取信息',
      'state-change': '会改动内容',
      spend: '会花钱',
      physical: '会操作现实中的设备或物品',
      egress: '会把数据发给新的对象',
      authority: '会改变谁能做什么、谁能收到什么',
    },
    roles: {
      merchant: '商家',
      payment: '支付服务',
      courier: '配送方',
      counterparty: '交易对方',
      processor: '受托处理数据方',
      site: '网站',
      operator: '服务运营方',
    },
    every: (field) => `每一项${field}`,
    anyEffect: '除读取以外的所有操作',
    yes: '是',
    no: '否',
    nothing: '（空）',
    emptyText: '（空文本）',
    emptyList: '（空列表）',
    emptyObject: '（没有内容）',
    paths: { hosted: '由服务商运行', 'self-hosted': '在自己的设备上运行' },
    details: {
      checkpoint: '检查点',
      snapshot: '固定版本',
      serviceAlias: '别名',
      derivativeOf: '衍生自',
      provider: '服务商',
      region: '数据存放地',
      scope: '计算范围',
      host: '主机',
      runtime: '运行环境',
      repository: '来源',
      revision: '修订版',
      checksum: '校验和',
      quantization: '量化方式',
      licence: '许可证',
    },
    thinking: { on: '开启思考', off: '关闭思考', hybrid: '按需思考' },
  },
}
