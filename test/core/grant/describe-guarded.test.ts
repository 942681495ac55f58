import { describe, expect, it } from 'vitest'
import type { ConsentSubject } from '../../../src/core/grant/consent-subject.ts'
import { describeConsent } from '../../../src/core/grant/describe-consent.ts'
import type { GrantTerms } from '../../../src/core/grant/terms.ts'
import { sampleManifest } from '../../support/sample-manifest.ts'
import { NOW_MS, TERMS } from './sample-grant.ts'

const MANIFEST = sampleManifest('coding.local')

function sentencesFor(terms: Partial<GrantTerms>) {
  const subject: ConsentSubject = {
    kind: 'request',
    manifest: MANIFEST,
    terms: {
      ...TERMS,
      skill: MANIFEST.skill,
      actions: [{ name: 'run_command', constraints: [] }],
      budgets: [],
      askFirst: [],
      unasked: [],
      categories: ['command'],
      recipients: ['computer', 'network'],
      retentionDays: {},
      ...terms,
    },
    agent: { name: 'Qwen Code guard' },
    publisher: { name: 'Coding Example', domain: 'coding.example' },
    deployments: [],
    savedRecipients: [],
    purpose: '',
    skillVerifiesCalls: false,
    zone: 'Asia/Shanghai',
    nowMs: NOW_MS,
  }
  const { questions } = describeConsent(subject, 'en')
  return questions.flatMap(({ sentences }) => sentences)
}
const codesFor = (terms: Partial<GrantTerms> = {}) => sentencesFor(terms).map(({ code }) => code)

describe('what a person reads of a skill that a guard enforces', () => {
  it('is who really holds it to that, and that nobody tells what came of it', () => {
    const codes = codesFor()
    for (const code of ['skill_guarded', 'recipient_guarded', 'mistake_not_reported'])
      expect(codes).toContain(code)
    for (const code of ['skill_does_not_verify', 'skill_verifies', 'recipient_endpoint', 'mistake_in_doubt'])
      expect(codes).not.toContain(code)
    expect(sentencesFor({}).find(({ code }) => code === 'skill_guarded')?.enforcedBy).toBe('claim')
  })

  it('is that each command is asked about, even where asking is switched off', () => {
    const codes = codesFor({ unasked: [{ rule: 'always', action: 'run_command' }] })
    expect(codes).toContain('ask_command')
    expect(codes).toContain('acts_always_asked')
    expect(codes).not.toContain('unasked_always')
  })

  it('is not that where each command is written out', () => {
    const constraints = [{ kind: 'one_of' as const, pointer: '/command', values: ['npm test'] }]
    const codes = codesFor({ actions: [{ name: 'run_command', constraints }] })
    expect(codes).not.toContain('ask_command')
    expect(codes).toContain('acts_without_asking')
  })
})
