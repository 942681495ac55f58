import { sign } from 'node:crypto'
import { jwsSigningInput } from '../../src/core/execution/compact-jws.ts'
import type { Manifest } from '../../src/core/manifest/manifest.ts'
import { ACKNOWLEDGEMENT_TYP, type AcknowledgementClaims } from '../../src/core/notice/acknowledgement.ts'
import type { NoticeClaims } from '../../src/core/notice/notice-token.ts'
import type { SkillCall, SkillReply } from '../../src/ports/skill-caller.ts'
import type { SkillSigningKey } from '../../src/sdk/sign-skill-receipt.ts'
import { COFFEE, coffeeSkill } from './coffee-test.ts'

/** The coffee skill with a place for deletion notices, and a day to do as they say. */
export const DELETING: Manifest = { ...COFFEE, deletion: { path: '/deletions', withinSeconds: 86_400 } }
export const NOTICES_AT = 'http://127.0.0.1:9101/deletions'

export const isNotice = (call: SkillCall): boolean => call.endpoint === NOTICES_AT

/** What a notice says, unverified. */
export function noticeOf(call: SkillCall): NoticeClaims {
  const payload = call.body.toString('ascii').split('.')[1] ?? ''
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
}

/** A skill's signed word on a notice, with what is changed of it. */
export function acknowledgement(
  key: SkillSigningKey,
  call: SkillCall,
  nowMs: number,
  changes: Partial<AcknowledgementClaims> = {},
): string {
  const notice = noticeOf(call)
  const claims = {
    aud: notice.iss,
    ntc: notice.ntc,
    skl: notice.skl,
    sub: notice.sub,
    sts: 'deleted',
    iat: Math.floor(nowMs / 1000),
    ...changes,
  }
  const input = jwsSigningInput({ alg: 'EdDSA', kid: key.kid, typ: ACKNOWLEDGEMENT_TYP }, claims)
  return `${input}.${sign(null, Buffer.from(input, 'ascii'), key.key).toString('base64url')}`
}

export function jwt(token: string, status = 200): SkillReply {
  return {
    kind: 'answered',
    status,
    contentType: 'application/jwt',
    headers: {},
    body: Buffer.from(token, 'ascii'),
  }
}

/** The coffee skill on a good day, which answers notices as told. */
export function deletingSkill(onNotice: (call: SkillCall) => SkillReply | Promise<SkillReply>) {
  return (call: SkillCall): SkillReply | Promise<SkillReply> =>
    isNotice(call) ? onNotice(call) : coffeeSkill(call)
}
