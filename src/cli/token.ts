import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { Option } from 'commander'
import { mintAccessToken } from '../broker/mint-access-token.ts'
import { type Config, issuerOf, readConfig } from '../config.ts'
import { type IdKind, isId } from '../core/ids.ts'
import {
  ACCESS_TOKEN_TTL_SECONDS_MOST,
  SCOPES,
  type TokenCaller,
  type TokenKind,
} from '../core/tokens/access-token.ts'
import { openKeyRing } from '../keys/folder-key-ring.ts'
import { createIds } from '../keys/new-id.ts'
import { dataFilesIn } from '../store/data-files.ts'
import { CannotRun, type Terminal } from './terminal.ts'

type Env = Readonly<Record<string, string | undefined>>
type Options = {
  user?: string
  agent?: string
  name?: string
  session?: string
  scope?: string[]
  boundTo?: string
}

const newId = createIds(Date.now)

/**
 * Mints tokens from the key folder of a broker on this machine, until an authorization server does. They carry a mark
 * that a broker refuses unless it is configured for development, as this command itself does.
 */
export function addToken(program: Command, terminal: Terminal, env: Env): void {
  const token = program
    .command('token')
    .description('access tokens for development; needs COUNTERSIGN_DEV_TOKENS=1 here and at the broker')

  const add = (kind: TokenKind, description: string) => {
    const command = token
      .command(kind)
      .description(description)
      .option('--session <id>', 'go on in this session (default: a new one)')
      .option('--bound-to <thumbprint>', 'RFC 7638 thumbprint of a key each request must prove (DPoP)')
      .addOption(new Option('--scope <scope...>', 'what the token may read besides').choices([...SCOPES]))
    command.action((_: unknown, itself: Command) => mint(kind, itself.opts<Options>(), terminal, env))
    return command
  }
  add('user', 'a person, who decides').option('--user <id>', 'which one (default: somebody new)')
  add('agent', 'an agent of a user')
    .requiredOption('--user <id>', 'whose agent it is')
    .requiredOption('--agent <id>', 'as POST /v1/agents answered it')
  add('operator', 'an operator of the platform').requiredOption('--name <name>', 'who, as the log will say')
}

async function mint(kind: TokenKind, options: Options, terminal: Terminal, env: Env): Promise<void> {
  const config = developmentConfig(env)
  const caller = callerOf(kind, options)
  const folder = dataFilesIn(config.dataFolder).keys
  if (!existsSync(folder)) throw new CannotRun(`there are no broker keys in ${folder}: start the broker once`)
  const token = await mintAccessToken(openKeyRing(folder, Date.now(), false), {
    issuer: issuerOf(config, config.port),
    caller,
    nowMs: Date.now(),
    isDevelopment: true,
    ...(options.boundTo === undefined ? {} : { boundTo: options.boundTo }),
  })
  terminal.out(token)
  const who = caller.kind === 'operator' ? caller.operatorId : caller.userId
  const minutes = ACCESS_TOKEN_TTL_SECONDS_MOST[kind] / 60
  terminal.err(
    terminal.paint('dim', `${kind} ${who}, session ${caller.sessionId}, good for ${minutes} minutes`),
  )
}

function developmentConfig(env: Env): Config {
  const read = readConfig(env)
  if (!read.ok) throw new CannotRun(`the configuration has faults:\n  ${read.faults.join('\n  ')}`)
  if (!read.config.devTokens) {
    throw new CannotRun('development tokens are off: set COUNTERSIGN_DEV_TOKENS=1 here and at the broker')
  }
  return read.config
}

function callerOf(kind: TokenKind, options: Options): TokenCaller {
  const common = {
    sessionId: checked('session', options.session ?? newId('session')),
    scopes: options.scope ?? [],
  }
  switch (kind) {
    case 'operator': {
      const operatorId = options.name ?? ''
      if (!/^[a-z0-9][a-z0-9._@-]{0,63}$/.test(operatorId)) {
        throw new CannotRun('an operator has a name in lower case such as lin.wei or lin@example.org')
      }
      return { kind, operatorId, ...common }
    }
    case 'user':
      return { kind, userId: checked('user', options.user ?? newId('user')), ...common }
    case 'agent':
      return {
        kind,
        userId: checked('user', options.user ?? ''),
        agentId: checked('agent', options.agent ?? ''),
        ...common,
      }
  }
}

function checked(kind: IdKind, text: string): string {
  if (!isId(kind, text)) throw new CannotRun(`${JSON.stringify(text)} is no id of a ${kind}`)
  return text
}
