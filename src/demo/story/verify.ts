import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { JsonValue } from '../../core/json-value.ts'
import { parseVkey } from '../../core/merkle/note-key.ts'
import { httpLogSource } from '../../sdk/http-log-source.ts'
import { verifyLog } from '../../sdk/verify-log.ts'
import { verifyReceipt } from '../../sdk/verify-receipt.ts'
import { readAs } from '../api-client.ts'
import { mustHold, StoryFailed } from '../story-failed.ts'
import { type Cast, yuan } from './cast.ts'

const IN_THE_LOG_WITHIN_MS = 10_000

/**
 * The order's receipt and the whole log are verified with nothing but the broker's published keys. Returns how many
 * leaves there are.
 *
 * @param lastActionId an action whose leaf is the newest, so that no checkpoint before it will do.
 */
export async function tellVerified(cast: Cast, orderId: string, lastActionId: string): Promise<number> {
  const { narrator, brokerUrl } = cast
  narrator.step('The log is verified by somebody who trusts nobody')
  await receiptOf(cast, lastActionId)
  const vkey = (await textAt(`${brokerUrl}/log/vkey`)).trim()
  const logKey = parseVkey(vkey)
  mustHold(logKey !== undefined, 'the log publishes no verifier key')

  const keySet = z.object({ keys: z.array(z.unknown()) })
  const { keys } = keySet.parse(JSON.parse(await textAt(`${brokerUrl}/.well-known/jwks.json`)))
  const receipt = verifyReceipt(await receiptOf(cast, orderId), { keys, vkey, issuer: brokerUrl })
  mustHold(receipt.kind === 'verified', `the receipt does not verify: ${JSON.stringify(receipt)}`)
  const { claims, decision, checkpoint } = receipt
  narrator.say(`Receipt of the first order: ${claims.act} ${claims.sts}, ${yuan(claims.amt ?? 0)},`)
  narrator.say(`its ${decision.d} is in the tree of ${checkpoint.treeSize} leaves under a signed checkpoint.`)

  const source = httpLogSource(`${brokerUrl}/log`, { token: await cast.auditorToken() })
  const seen = new Map<string, number>()
  const verdict = await verifyLog(source, { logKey }, (entry) => {
    const { t } = z.looseObject({ t: z.string() }).parse(JSON.parse(entry.toString('utf8')))
    seen.set(t, (seen.get(t) ?? 0) + 1)
  })
  mustHold(verdict.kind === 'verified', `the log does not verify: ${JSON.stringify(verdict)}`)
  const kinds = [...seen].map(([kind, count]) => `${count} ${kind}`).join(', ')
  narrator.say(`Leaves: ${kinds}.`)
  narrator.say(`Root: ${verdict.checkpoint.rootHash.toString('base64')}`)
  narrator.done('Every hash was computed again from the entries; the root is the one that was signed.')
  return verdict.checkpoint.treeSize
}

/** The receipt of an action, once a published checkpoint covers it. */
async function receiptOf(cast: Cast, actionId: string): Promise<JsonValue> {
  const deadline = Date.now() + IN_THE_LOG_WITHIN_MS
  while (Date.now() < deadline) {
    const answer = await cast.user.get(`/v1/actions/${actionId}/receipt`)
    if (answer.code !== 'receipt_not_yet') {
      readAs(answer, 200, z.looseObject({}))
      return answer.body
    }
    await sleep(100)
  }
  throw new StoryFailed('no checkpoint covered the newest leaf in time')
}

async function textAt(url: string): Promise<string> {
  const response = await fetch(url)
  if (!response.ok) throw new StoryFailed(`${url} answered ${response.status}`)
  return response.text()
}
