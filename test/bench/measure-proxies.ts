import { randomUUID } from 'node:crypto'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { NOTE_ARGUMENTS } from './note-server.ts'
import { median, percentile, seededRandom } from './statistics.ts'

/** Something that answers a tool's call. */
export type Called = {
  readonly name: string
  readonly url: string
  readonly tool: string
  /** A bearer token for the client with this index; none is sent otherwise. */
  readonly token?: (index: number) => Promise<string>
}

export type Level = { readonly concurrency: number; readonly calls: number }

/** One server at one concurrency; ratios are to the direct call of the same round. */
export type ProxyCell = {
  readonly name: string
  readonly concurrency: number
  readonly p50Ms: number
  readonly perSecond: number
  readonly p50Ratio: Spread
  readonly p99Ratio: Spread
  readonly perSecondRatio: Spread
}

export type Spread = { readonly median: number; readonly least: number; readonly most: number }

type Sample = { readonly p50Ms: number; readonly p99Ms: number; readonly perSecond: number }

/**
 * Calls each server in a closed loop, one session a worker, in rounds that visit all of them in an order of chance: what
 * else the machine does falls on all alike.
 *
 * @param warmUpCalls made to each before the first round, over all its sessions.
 */
export async function measureProxies(
  servers: readonly Called[],
  levels: readonly Level[],
  rounds: number,
  warmUpCalls: number,
  progress: (text: string) => void,
): Promise<ProxyCell[]> {
  const random = seededRandom(7)
  const cells: ProxyCell[] = []
  for (const level of levels) {
    const clients = new Map<string, Client[]>()
    for (const server of servers) {
      const opened: Client[] = []
      for (let index = 0; index < level.concurrency; index += 1) opened.push(await connect(server, index))
      clients.set(server.name, opened)
      progress(`${server.name}: ${warmUpCalls} calls to warm up, ${level.concurrency} at once`)
      await run(server, opened, warmUpCalls)
    }
    const samples = new Map<string, Sample[]>(servers.map(({ name }) => [name, []]))
    for (let round = 0; round < rounds; round += 1) {
      const order = servers.map((server) => ({ server, at: random() })).toSorted((a, b) => a.at - b.at)
      for (const { server } of order) {
        samples.get(server.name)?.push(await run(server, clients.get(server.name) ?? [], level.calls))
      }
      progress(`round ${round + 1} of ${rounds}, ${level.concurrency} at once`)
    }
    for (const opened of clients.values()) await Promise.allSettled(opened.map((client) => client.close()))
    const direct = samples.get(servers[0]?.name ?? '') ?? []
    for (const { name } of servers)
      cells.push(cellOf(name, level.concurrency, samples.get(name) ?? [], direct))
  }
  return cells
}

async function connect(server: Called, index: number): Promise<Client> {
  const token = await server.token?.(index)
  const client = new Client({ name: 'bench', version: '1' })
  await client.connect(
    new StreamableHTTPClientTransport(new URL(server.url), {
      ...(token === undefined ? {} : { requestInit: { headers: { authorization: `Bearer ${token}` } } }),
    }),
  )
  return client
}

/** Makes so many calls with all clients together, each one after the other. @throws (rejects) on any other answer. */
async function run(server: Called, clients: readonly Client[], calls: number): Promise<Sample> {
  const latenciesMs: number[] = []
  let left = calls
  const startedMs = performance.now()
  await Promise.all(
    clients.map(async (client) => {
      while (left > 0) {
        left -= 1
        const sentMs = performance.now()
        const result = await client.callTool({
          name: server.tool,
          arguments: NOTE_ARGUMENTS,
          // A key of the call's own: without one the broker answers an equal call from memory, and calls nobody.
          _meta: { 'countersign/idempotencyKey': randomUUID() },
        })
        latenciesMs.push(performance.now() - sentMs)
        if (result.isError || !JSON.stringify(result).includes('buy milk'))
          throw new Error(`${server.name} answered ${JSON.stringify(result)}`)
      }
    }),
  )
  const perSecond = (calls / (performance.now() - startedMs)) * 1000
  return { p50Ms: percentile(latenciesMs, 0.5), p99Ms: percentile(latenciesMs, 0.99), perSecond }
}

function cellOf(
  name: string,
  concurrency: number,
  own: readonly Sample[],
  direct: readonly Sample[],
): ProxyCell {
  const ratio = (of: (sample: Sample) => number): Spread => {
    const ratios = own.map((sample, round) => of(sample) / of(direct[round] ?? sample))
    return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) }
  }
  return {
    name,
    concurrency,
    p50Ms: median(own.map(({ p50Ms }) => p50Ms)),
    perSecond: median(own.map(({ perSecond }) => perSecond)),
    p50Ratio: ratio(({ p50Ms }) => p50Ms),
    p99Ratio: ratio(({ p99Ms }) => p99Ms),
    perSecondRatio: ratio(({ perSecond }) => perSecond),
  }
}
