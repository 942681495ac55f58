import type { Command } from 'commander'
import { type NoteKey, parseVkey } from '../core/merkle/note-key.ts'
import { httpLogSource } from '../sdk/http-log-source.ts'
import { type LogVerdict, verifyLog } from '../sdk/verify-log.ts'
import { type Env, tokenFor } from './credentials-file.ts'
import { findLogKey, openDataView, viewLogSource } from './data-log.ts'
import { printLogFault } from './print-log-fault.ts'
import { CannotRun, type Terminal } from './terminal.ts'
import { printParts, verifyParts } from './verify-parts.ts'

type Options = {
  data?: string
  url?: string
  vkey?: string
  tokenFile?: string
  json: boolean
  parts: boolean
}

export function addLogVerify(log: Command, terminal: Terminal, env: Env): void {
  log
    .command('verify')
    .description('verify a whole log: its signature, every entry, every hash, the root')
    .option('--data <folder>', 'the data folder of a broker, which may be running')
    .option('--url <prefix>', 'a served log, such as https://broker.example/log')
    .option('--vkey <key>', "the log's verifier key; with --data, the folder's own unless given")
    .option('--token-file <file>', 'a token with the scope log:read, where entries need one')
    .option(
      '--parts',
      'with --data, say besides of every sealed part whether it is there, was erased, has expired, or is missing',
      false,
    )
    .option('--json', 'print the verdict as JSON', false)
    .action(async (options: Options) => {
      const verdict =
        options.data === undefined
          ? await verifyServed(options, env)
          : await verifyData(options.data, options)
      if (options.parts && options.data === undefined) throw new CannotRun('--parts goes with --data')
      const parts = options.parts ? await verifyParts(options.data ?? '', env) : undefined
      if (options.json)
        terminal.out(JSON.stringify({ ...toJson(verdict), ...(parts ? { parts } : {}) }, null, 2))
      else {
        print(verdict, terminal)
        if (parts) printParts(parts, terminal)
      }
      terminal.exitWith(verdict.kind === 'verified' && !parts?.alarms.length ? 0 : 1)
    })
}

/** Reads the verifier key a person gave. @throws CannotRun if it is none. */
export function readVkey(vkey: string | undefined, option = '--vkey'): NoteKey {
  if (vkey === undefined)
    throw new CannotRun('give the verifier key of the log with --vkey, from somebody you trust')
  const key = parseVkey(vkey.trim())
  if (!key) throw new CannotRun(`${option} is not a verifier key of the form name+hash+key`)
  return key
}

async function verifyServed({ url, vkey, tokenFile }: Options, env: Env): Promise<LogVerdict> {
  if (url === undefined) throw new CannotRun('say which log: --data <folder> or --url <prefix>')
  if (!URL.canParse(url)) throw new CannotRun(`${url} is not a URL`)
  const logKey = readVkey(vkey)
  const token = tokenFor(env, url, 'operator', tokenFile)
  const options = token === undefined ? {} : { token }
  return verifyLog(httpLogSource(url, options), { logKey })
}

async function verifyData(folder: string, { url, vkey }: Options): Promise<LogVerdict> {
  if (url !== undefined) throw new CannotRun('--data and --url name two logs: give one of them')
  const view = openDataView(folder)
  try {
    const source = viewLogSource(view)
    const note = await source.checkpoint().catch((cause: unknown) => {
      throw new CannotRun(`${folder}: no checkpoint was published yet`, { cause })
    })
    const logKey = vkey === undefined ? findLogKey(folder, note) : readVkey(vkey)
    if (!logKey) throw new CannotRun(`${folder} holds no key that signed its newest checkpoint: give --vkey`)
    return await verifyLog(source, { logKey })
  } finally {
    view.close()
  }
}

function toJson(verdict: LogVerdict) {
  if (verdict.kind === 'fault') return verdict
  const { origin, treeSize, rootHash } = verdict.checkpoint
  return { kind: verdict.kind, origin, treeSize, rootHash: rootHash.toString('base64'), note: verdict.note }
}

function print(verdict: LogVerdict, terminal: Terminal): void {
  if (verdict.kind === 'fault') {
    printLogFault(verdict.fault, terminal)
    return
  }
  const { origin, treeSize, rootHash } = verdict.checkpoint
  terminal.out(`${terminal.paint('green', 'the log verifies')}: ${origin}, ${treeSize} leaves`)
  terminal.out(`root ${rootHash.toString('base64')}`)
}
