import { writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { Option } from 'commander'
import { generatePublisherKey, publicHalfOf } from '../keys/publisher-key-file.ts'
import { CannotRun, type Terminal } from './terminal.ts'

type Options = { publisher: string; out: string; alg: 'EdDSA' | 'ES256' }

export function addKeysGenerate(keys: Command, terminal: Terminal): void {
  keys
    .command('generate')
    .description('make a signing key for a publisher; prints the public key set, writes the private key')
    .requiredOption('--publisher <id>', "the publisher's id, such as coffee.example")
    .requiredOption('--out <file>', 'where the private key goes; readable by you alone, never overwritten')
    .addOption(new Option('--alg <alg>', 'signature algorithm').choices(['EdDSA', 'ES256']).default('EdDSA'))
    .action(async (options: Options) => {
      const privateJwk = await generatePublisherKey(options.alg)
      try {
        writeFileSync(options.out, `${JSON.stringify(privateJwk, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
      } catch (cause) {
        throw new CannotRun(`cannot write ${options.out}: it must not exist, and its folder must`, { cause })
      }
      const keySet = { publisher: options.publisher, keys: [publicHalfOf(privateJwk)] }
      terminal.out(JSON.stringify(keySet, null, 2))
      terminal.err(`private key written to ${options.out}: keep it secret, and out of any repository`)
    })
}
