import { createHash } from 'node:crypto'

/** An id for what a call made, such as `ord_…`: made from the broker's key, so the same key names the same thing. */
export function shortId(prefix: string, brokerKey: string): string {
  return `${prefix}_${createHash('sha256').update(`${prefix} ${brokerKey}`).digest('hex').slice(0, 20)}`
}
