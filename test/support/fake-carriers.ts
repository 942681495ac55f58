import type { Carried, Carriers, Delivery } from '../../src/ports/carriers.ts'

export type Sent = {
  readonly by: 'push' | 'mail' | 'platform'
  readonly address: string
  readonly delivery: Delivery
}

/** Carriers that keep what they were handed, and answer by script. */
export type FakeCarriers = Carriers & {
  readonly sent: Sent[]
  readonly codes: { readonly address: string; readonly code: string }[]
  readonly greeted: string[]
  /** Answers the next deliveries so, in order; then everything is delivered. */
  answerNext(...answers: (Carried | ((sent: Sent) => Promise<Carried>))[]): void
}

export function createFakeCarriers(): FakeCarriers {
  const sent: Sent[] = []
  const codes: { address: string; code: string }[] = []
  const greeted: string[] = []
  const queue: (Carried | ((sent: Sent) => Promise<Carried>))[] = []
  const carrier = (by: Sent['by']) => ({
    async carry(address: string, delivery: Delivery) {
      const one = { by, address, delivery }
      sent.push(one)
      return next(one)
    },
  })
  async function next(one: Sent): Promise<Carried> {
    const answer = queue.shift() ?? { kind: 'delivered' }
    return typeof answer === 'function' ? answer(one) : answer
  }
  return {
    sent,
    codes,
    greeted,
    push: {
      ...carrier('push'),
      publicKey: 'B'.repeat(87),
      async greet(address) {
        greeted.push(address)
        const answer = queue.shift() ?? { kind: 'delivered' }
        return typeof answer === 'function' ? { kind: 'delivered' } : answer
      },
    },
    mail: {
      ...carrier('mail'),
      async sendCode(address, code) {
        codes.push({ address, code })
        return { kind: 'delivered' }
      },
    },
    platform: carrier('platform'),
    webhookKey: {},
    answerNext: (...answers) => void queue.push(...answers),
    async close() {},
  }
}
