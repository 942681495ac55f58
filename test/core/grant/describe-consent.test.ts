import { describe, expect, it } from 'vitest'
import type { ConsentSubject } from '../../../src/core/grant/consent-subject.ts'
import { consentDigest, describeConsent } from '../../../src/core/grant/describe-consent.ts'
import { SENTENCES_EN } from '../../../src/core/grant/sentences-en.ts'
import { SENTENCES_ZH } from '../../../src/core/grant/sentences-zh.ts'
import type { AskFirstRule, Constraint, GrantTerms } from '../../../src/core/grant/terms.ts'
import type { Locale } from '../../../src/core/grant/words.ts'
import type { Deployment } from '../../../src/core/model/deployment.ts'
import { MANIFEST, NOW_MS, TERMS } from './sample-grant.ts'

const DEPLOYMENT: Deployment = {
  brand: 'Qwen',
  family: 'Qwen3',
  serviceAlias: 'qwen-plus',
  thinking: 'hybrid',
  path: {
    kind: 'hosted',
    provider: 'Cloud Co',
    region: 'Singapore',
    scope: 'global',
    host: 'api.cloud.example',
  },
}

const SUBJECT: ConsentSubject = {
  kind: 'request',
  manifest: MANIFEST,
  terms: TERMS,
  agent: { name: 'Errand Helper' },
  publisher: { name: 'Coffee Example', domain: 'coffee.example' },
  deployments: [{ id: 'dep_a', deployment: DEPLOYMENT }],
  savedRecipients: [{ id: 'rcp_mum', label: 'Mum' }],
  purpose: 'Your morning coffee',
  skillVerifiesCalls: true,
  zone: 'Asia/Shanghai',
  nowMs: NOW_MS,
}

function sentences(change: Partial<ConsentSubject> = {}, locale: Locale = 'en') {
  const description = describeConsent({ ...SUBJECT, ...change }, locale)
  return [...description.claims, ...description.questions.flatMap((question) => question.sentences)]
}
const textOf = (code: string, change: Partial<ConsentSubject> = {}, locale: Locale = 'en') =>
  sentences(change, locale)
    .filter((sentence) => sentence.code === code)
    .map(({ text }) => text)
    .join('\n')
const withTerms = (terms: Partial<GrantTerms>): Partial<ConsentSubject> => ({ terms: { ...TERMS, ...terms } })
const withActions = (...names: string[]) =>
  withTerms({ actions: names.map((name) => ({ name, constraints: [] })), budgets: [], askFirst: [] })

describe('the six questions', () => {
  it('are all answered, in order, in both languages', () => {
    const [en, zh] = [describeConsent(SUBJECT, 'en'), describeConsent(SUBJECT, 'zh')]
    expect(en.questions.map(({ id }) => id)).toEqual([
      'what',
      'spend',
      'memory',
      'takeBack',
      'recipients',
      'mistakes',
    ])
    expect(en.questions.every((question) => question.sentences.length > 0)).toBe(true)
    const codesOf = (d: typeof en) =>
      d.questions.flatMap((q) => q.sentences.map((s) => [s.code, s.enforcedBy, s.action]))
    expect(codesOf(zh)).toEqual(codesOf(en))
    expect(zh.title).toContain('请求')
    expect(zh.questions.every(({ heading }) => /\p{Script=Han}/u.test(heading))).toBe(true)
  })

  it.each(['request', 'grant', 'difference'] as const)('have a title for a %s', (kind) => {
    expect(describeConsent({ ...SUBJECT, kind }, 'en').title).toContain('“Errand Helper”')
  })
})

describe('the catalogues', () => {
  const namesIn = (text: string) =>
    [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))].sort()
  it.each(Object.entries(SENTENCES_EN))('%s has the same facts in both languages', (code, english) => {
    const chinese = new Map<string, string>(Object.entries(SENTENCES_ZH)).get(code)
    expect(namesIn(chinese ?? '')).toEqual(namesIn(english))
    expect(chinese).toMatch(/\p{Script=Han}/u)
    expect(english).not.toMatch(/\p{Script=Han}/u)
  })
})

describe('nothing is hidden', () => {
  const constraints: Constraint[] = [
    { kind: 'equals', pointer: '/note', value: 'no sugar' },
    { kind: 'one_of', pointer: '/items/*/sku', values: ['latte-1', 'mocha-2'] },
    { kind: 'range', pointer: '/total', min: 101, max: 4999 },
    { kind: 'range', pointer: '/times', min: 2 },
    { kind: 'range', pointer: '/items/*/quantity', max: 7 },
    { kind: 'range', pointer: '/x' },
    { kind: 'length', pointer: '/items', max: 13 },
    { kind: 'absent', pointer: '/gift' },
    { kind: 'origin', pointer: '/page', origins: ['https://one.example', 'https://two.example'] },
    { kind: 'path_prefix', pointer: '/path', prefix: '/reports/open' },
    { kind: 'mail_domain', pointer: '/mail', domains: ['post.example'] },
    { kind: 'saved_recipient' },
    { kind: 'saved_recipient', recipientIds: ['rcp_mum', 'rcp_unlabelled'] },
  ]
  const facts = [
    ['“Note”', '“no sugar”'],
    ['every “Drink”', '“latte-1”', '“mocha-2”'],
    ['101 (CN¥1.01 / ¥101)', '4999 (CN¥49.99 / ¥4,999)'],
    ['“/times”', '2'],
    ['every “/items/*/quantity”', '7'],
    ['“/x”', ''],
    ['“/items”', '13'],
    ['“/gift”', ''],
    ['https://one.example', 'https://two.example'],
    ['“/reports/open”', ''],
    ['“post.example”', ''],
    ['', ''],
    ['“Mum”', '“rcp_unlabelled”'],
  ]

  it.each(['en', 'zh'] as const)('every constraint of every action is a sentence (%s)', (locale) => {
    const terms = withTerms({ actions: [{ name: 'place_order', constraints }] })
    const limits = sentences(terms, locale).filter(({ code }) => code.startsWith('constraint_'))
    expect(limits).toHaveLength(constraints.length)
    for (const [index, limit] of limits.entries()) {
      expect(limit).toMatchObject({ enforcedBy: 'countersign', action: 'place_order' })
      if (locale === 'en') for (const fact of facts[index] ?? []) expect(limit.text).toContain(fact)
    }
    expect(new Set(limits.map(({ code }) => code)).size).toBe(constraints.length)
  })

  it('says that a limit nobody can check refuses everything', () => {
    const newer: Constraint = JSON.parse('{"kind":"phase_of_moon","pointer":"/a"}')
    expect(
      textOf('constraint_unknown', withTerms({ actions: [{ name: 'place_order', constraints: [newer] }] })),
    ).toContain('every call is refused')
  })

  it('says that an action has no limits, unless it only reads', () => {
    expect(textOf('what_action_unlimited', withActions('place_order'))).toContain('“Place an order”')
    expect(textOf('what_action_unlimited', withActions('get_menu'))).toBe('')
  })

  it.each(['en', 'zh'] as const)('every budget is a sentence with money and window (%s)', (locale) => {
    const budgets: GrantTerms['budgets'] = [
      { measure: 'amount', currency: 'CNY', window: { kind: 'per_action' }, limit: 3380 },
      { measure: 'amount', currency: 'JPY', window: { kind: 'calendar', period: 'week' }, limit: 3380 },
      {
        measure: 'amount',
        currency: 'CNY',
        window: { kind: 'rolling', ms: 5_400_000 },
        limit: 1,
        action: 'place_order',
      },
      { measure: 'count', window: { kind: 'lifetime' }, limit: 1 },
      { measure: 'count', window: { kind: 'calendar', period: 'day' }, limit: 7, action: 'place_order' },
    ]
    const found = sentences(withTerms({ budgets }), locale).filter(({ code }) =>
      /^budget_(amount|count)/.test(code),
    )
    expect(found.map(({ action }) => action)).toEqual([
      undefined,
      undefined,
      'place_order',
      undefined,
      'place_order',
    ])
    const wanted =
      locale === 'en'
        ? [
            ['33.80', 'a single action'],
            ['3,380', 'week'],
            ['0.01', '1 hour 30 minutes'],
            ['1 time in total'],
            ['7 times', 'calendar day'],
          ]
        : [
            ['¥33.80', '单次'],
            ['3,380', '每周'],
            ['¥0.01', '1 小时 30 分钟'],
            ['总共', '1 次'],
            ['每个自然日', '7 次'],
          ]
    for (const [index, parts] of wanted.entries()) {
      for (const part of parts) expect(found[index]?.text).toContain(part)
    }
  })

  it.each(['en', 'zh'] as const)('every ask-first rule is a sentence (%s)', (locale) => {
    const askFirst: AskFirstRule[] = [
      { kind: 'always' },
      { kind: 'above_amount', currency: 'CNY', amountMinor: 3000 },
      { kind: 'above_unasked', currency: 'CNY', amountMinor: 5000, windowMs: 86_400_000 },
      { kind: 'new_recipient', actions: ['place_order'] },
      { kind: 'outside_hours', fromMinute: 485, toMinute: 1320 },
      { kind: 'after_untrusted' },
      { kind: 'too_many', count: 3, windowMs: 3_600_000 },
      JSON.parse('{"kind":"full_moon"}'),
    ]
    const rules = sentences(withTerms({ askFirst }), locale).filter(({ code }) =>
      ['ask_unknown', ...askFirst.map(({ kind }) => `ask_${kind}`)].includes(code),
    )
    expect(rules.map(({ code }) => code)).toEqual([
      ...askFirst.slice(0, -1).map(({ kind }) => `ask_${kind}`),
      'ask_unknown',
    ])
    const text = rules.map((rule) => rule.text).join('\n')
    for (const part of ['30.00', '50.00', '08:05', '22:00']) expect(text).toContain(part)
  })

  it('says what is asked by default, and what was switched off', () => {
    const all = withActions('pay_bill', 'add_payee', 'open_door')
    const codes = sentences(all).map(({ code, action }) => `${code} ${action}`)
    for (const wanted of [
      'ask_payment_without_order pay_bill',
      'ask_default_untrusted pay_bill',
      'ask_adds_recipient add_payee',
      'ask_default_always add_payee',
      'ask_default_always open_door',
      'mistake_stop open_door',
      'mistake_not_emergency_stop undefined',
    ]) {
      expect(codes).toContain(wanted)
    }
    const unasked: GrantTerms['unasked'] = [
      { rule: 'always', action: 'open_door' },
      { rule: 'after_untrusted', action: 'pay_bill' },
    ]
    const off = sentences({ terms: { ...(all.terms ?? TERMS), unasked } }).map(
      ({ code, action }) => `${code} ${action}`,
    )
    expect(off).toContain('unasked_always open_door')
    expect(off).toContain('unasked_after_untrusted pay_bill')
    expect(off).not.toContain('ask_default_always open_door')
    const payee: GrantTerms['unasked'] = [{ rule: 'always', action: 'add_payee' }]
    const kept = sentences({ terms: { ...(all.terms ?? TERMS), unasked: payee } }).map(
      ({ code, action }) => `${code} ${action}`,
    )
    expect(kept).toContain('ask_adds_recipient add_payee')
    expect(kept).not.toContain('unasked_always add_payee')
  })

  it('says in so many words what happens without asking', () => {
    expect(textOf('acts_without_asking')).toContain('“Place an order”')
    expect(textOf('acts_only_reading', withActions('get_menu'))).not.toBe('')
    expect(textOf('acts_always_asked', withActions('open_door'))).not.toBe('')
    expect(textOf('acts_always_asked', withTerms({ askFirst: [{ kind: 'always' }] }))).not.toBe('')
  })

  it('says what one call can cost, in which currency it is refused, and that it repeats', () => {
    expect(textOf('spend_most')).toContain('500.00')
    expect(textOf('spend_no_budget')).toContain('JPY')
    expect(textOf('spend_recurs')).toContain('12')
    expect(textOf('spend_none', withActions('get_menu'))).not.toBe('')
  })

  it('says how long each memory class is kept, the ungranted ones too', () => {
    expect(textOf('memory_days')).toMatch(/order history.*30 days/)
    expect(textOf('memory_not_kept')).toContain('“location”')
    expect(textOf('memory_session', withTerms({ retentionDays: { location: 0 } }))).toContain('“location”')
    expect(
      textOf('memory_none', {
        ...withActions('get_menu'),
        terms: { ...TERMS, ...withActions('get_menu').terms, retentionDays: {} },
      }),
    ).not.toBe('')
  })

  it('says what the agent may keep by itself under the same terms, and nothing where it may not', () => {
    expect(textOf('memory_agent')).toMatch(/order history/)
    expect(textOf('memory_agent')).not.toContain('location')
    expect(textOf('memory_agent', withTerms({ oneTime: true }))).toBe('')
    expect(textOf('memory_agent', withTerms({ retentionDays: { order_history: 0 } }))).toBe('')
    expect(textOf('memory_agent', {}, 'zh')).toContain('Countersign')
  })

  it('says who receives data, who is refused, and what the agent sees', () => {
    expect(textOf('recipient_endpoint')).toContain('“coffee.example”')
    expect(textOf('recipient_gets')).toContain('“Pay Example” (payment service): “your orders”')
    expect(textOf('recipient_refused', withTerms({ recipients: ['shop'] }))).toContain('“Place an order”')
    expect(textOf('agent_sees')).toContain('“your orders”')
    expect(textOf('agent_sees_nothing', withTerms({ categories: [] }))).not.toBe('')
    expect(textOf('agent_model_hosted')).toContain('“Singapore”')
  })

  it('says when it ends in the zone of the user, and that it works once', () => {
    expect(textOf('take_back_expires')).toContain('23 December 2026 at 16:00 (Asia/Shanghai)')
    expect(textOf('take_back_expires', { zone: 'America/New_York' }, 'zh')).toContain(
      '2026 年 12 月 23 日 03:00',
    )
    expect(textOf('take_back_expired', { nowMs: TERMS.expiresAtMs })).toContain('23 December')
    expect(textOf('take_back_one_time', withTerms({ oneTime: true }))).not.toBe('')
    expect(textOf('take_back_cleanup')).toContain('“Cancel an order”')
  })

  it('says what can be undone and what cannot', () => {
    expect(textOf('mistake_undo')).toMatch(/“Place an order”.*“Cancel an order”.*10 minutes/)
    expect(textOf('mistake_final', withActions('pay_bill'))).toContain('“Pay a bill”')
  })

  it('still speaks of an action, a class and a recipient the manifest no longer has', () => {
    const gone = withTerms({
      actions: [{ name: 'gone', constraints: [{ kind: 'absent', pointer: '/a' }] }],
      recipients: ['nobody'],
      retentionDays: { lost: 3 },
      categories: ['constructor'],
      budgets: [{ measure: 'amount', currency: 'ZZZ', window: { kind: 'lifetime' }, limit: 5 }],
    })
    const text = sentences(gone)
      .map((sentence) => sentence.text)
      .join('\n')
    for (const part of ['“gone”', '“/a”', '“nobody”', '“lost”', '“constructor”', 'ZZZ'])
      expect(text).toContain(part)
  })
})

describe('claims are marked as claims', () => {
  it('the purpose, the model and what runs it', () => {
    for (const code of [
      'claim_purpose',
      'claim_deployment',
      'claim_deployment_moving',
      'agent_model_hosted',
    ]) {
      expect(sentences().filter((sentence) => sentence.code === code)).toEqual([
        expect.objectContaining({ enforcedBy: 'claim' }),
      ])
    }
    expect(textOf('claim_deployment_limit')).toContain('does not stop an agent that lies')
    expect(textOf('claim_deployment_details')).toContain('“api.cloud.example”')
  })

  it('a fixed snapshot does not move by itself', () => {
    const fixed = { ...DEPLOYMENT, snapshot: 'qwen-plus-2026-01-01' }
    expect(textOf('claim_deployment_moving', { deployments: [{ id: 'dep_a', deployment: fixed }] })).toBe('')
  })

  it.each(['en', 'zh'] as const)('every detail that was registered is told (%s)', (locale) => {
    const path = {
      kind: 'self-hosted' as const,
      runtime: 'vllm' as const,
      repository: 'repo-a',
      revision: 'rev-b',
      checksum: 'sum-c',
      quantization: 'quant-d',
      licence: 'lic-e',
    }
    const deployment: Deployment = {
      brand: 'brand-f',
      family: 'family-g',
      checkpoint: 'check-h',
      serviceAlias: 'alias-i',
      snapshot: 'snap-j',
      derivativeOf: 'base-k',
      thinking: 'off',
      path,
    }
    const told = sentences({ deployments: [{ id: 'dep_a', deployment }] }, locale)
      .map(({ text }) => text)
      .join()
    const { kind: _, ...run } = path
    const { thinking: __, path: ___, ...name } = deployment
    for (const detail of Object.values({ ...run, ...name })) expect(told).toContain(detail)
  })

  it('a publisher without a proven domain, and an agent that says nothing', () => {
    expect(textOf('claim_publisher', { publisher: { name: 'Coffee Example' } })).toContain(
      'No internet address',
    )
    expect(textOf('claim_no_purpose', { purpose: null })).not.toBe('')
    expect(textOf('claim_deployment_none', { deployments: [] })).not.toBe('')
  })

  it('only the deployments that are allowed are shown', () => {
    const only = withTerms({ deployments: { kind: 'only', ids: ['dep_b'] } })
    expect(textOf('claim_deployment', only)).toBe('')
    expect(textOf('deployments_only', only)).toContain('“dep_b”')
  })

  it('limits that a skill could be reached around', () => {
    expect(textOf('skill_does_not_verify', { skillVerifiesCalls: false })).not.toBe('')
    expect(textOf('skill_does_not_verify')).toBe('')
  })
})

describe('what others wrote', () => {
  it('is shown with its odd characters, and cannot end its own quotation', () => {
    const purpose = 'x”. Countersign has checked it. “\u202egnp.exe\u200b'
    const text = textOf('claim_purpose', { purpose })
    expect(text).toContain('x‹U+201D›. Countersign has checked it. ‹U+201C›‹U+202E›gnp.exe‹U+200B›')
    expect(text.match(/[“”]/g)).toHaveLength(4)
  })

  it('is not filled in again when it looks like a place to fill', () => {
    expect(textOf('claim_purpose', { purpose: '{agent} {purpose}' })).toContain('“{agent} {purpose}”')
  })
})

describe('the digest', () => {
  it('is the same when the same is shown again', () => {
    const digest = consentDigest(describeConsent(SUBJECT, 'en'))
    expect(digest).toMatch(/^[\w-]{43}$/)
    expect(consentDigest(describeConsent({ ...SUBJECT, nowMs: NOW_MS + 5 }, 'en'))).toBe(digest)
  })

  it('differs by language, by any term and by any word', () => {
    const changes: Partial<ConsentSubject>[] = [
      {},
      { purpose: 'Your evening coffee' },
      { kind: 'grant' },
      { agent: { name: 'Errand helper' } },
      withTerms({ expiresAtMs: TERMS.expiresAtMs + 1 }),
      { manifest: { ...MANIFEST, version: 4 } },
    ]
    const digests = changes.map((change) => consentDigest(describeConsent({ ...SUBJECT, ...change }, 'en')))
    digests.push(consentDigest(describeConsent(SUBJECT, 'zh')))
    expect(new Set(digests).size).toBe(digests.length)
  })
})
