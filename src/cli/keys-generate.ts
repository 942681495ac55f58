import { writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { Option } from 'commander'
import { generatePublisherKey, publicHalfOf } from '../keys/publisher-key-file.ts'
import { CannotRun, type Terminal } from './terminal.ts'

type Options = { publisher?: string; agent?: string; out: string; alg: 'EdDSA' | 'ES256' }

export function addKeysGenerate(keys: Command, terminal: Terminal): void {
  keys
    .command('generate')
    .description(
      'make a key pair for a publisher or an agent; prints the public half, writes the private key',
    )
    .addOption(
      new Option('--publisher <id>', "the publisher's id, such as coffee.example").conflicts('agent'),
    )
    .option('--agent <name>', 'the name a user will know the agent by; prints what POST /v1/agents takes')
    .requiredOption('--out <file>', 'where the private key goes; readable by you alone, never overwritten')
    .addOption(new Option('--alg <alg>', 'signature algorithm').choices(['EdDSA', 'ES256']).default('EdDSA'))
    .action(async ({ publisher, agent, out, alg }: Options) => {
      if (publisher === undefined && agent === undefined)
        throw new CannotRun('say whose key it is: --publisher <id> or --agent <name>')
      const privateJwk = await generatePublisherKey(alg)
      try {
        writeFileSync(out, `${JSON.stringify(privateJwk, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
      } catch (cause) {
        throw new CannotRun(`cannot write ${out}: it must not exist, and its folder must`, { cause })
      }
      const publicJwk = publicHalfOf(privateJwk)
      const printed = agent === undefined ? { publisher, keys: [publicJwk] } : { name: agent, publicJwk }
      terminal.out(JSON.stringify(printed, null, 2))
      terminal.err(`private key written to ${out}: keep it secret, and out of any repository`)
    })
}
