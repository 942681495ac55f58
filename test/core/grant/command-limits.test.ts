import { expect, it } from 'vitest'
import { faultOfConstraint } from '../../../src/core/grant/constraint-check.ts'
import type { Constraint } from '../../../src/core/grant/terms.ts'
import { findAction } from '../../../src/core/manifest/manifest.ts'
import { sampleManifest } from '../../support/sample-manifest.ts'

const pointer = '/command'

it.each<[Constraint, string | undefined]>([
  [{ kind: 'equals', pointer, value: 'npm test' }, undefined],
  [{ kind: 'one_of', pointer, values: ['npm test', 'npm run lint'] }, undefined],
  [{ kind: 'path_prefix', pointer, prefix: '/usr/bin' }, 'constraint_cannot_hold'],
  [{ kind: 'origin', pointer, origins: ['https://a.example'] }, 'constraint_cannot_hold'],
  [{ kind: 'mail_domain', pointer, domains: ['a.example'] }, 'constraint_cannot_hold'],
])('a command is limited as a whole, never by a part of it: %j', (constraint, code) => {
  const action = findAction(sampleManifest('coding.local'), 'run_command')
  if (!action) throw new Error('no such action')
  expect(faultOfConstraint(constraint, action)?.code).toBe(code)
})
