import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { type FollowVerdict, followLog } from '../sdk/follow-log.ts'
import { httpLogSource } from '../sdk/http-log-source.ts'
import { readVkey } from './log-verify.ts'
import { printLogFault } from './print-log-fault.ts'
import { readText } from './read-input.ts'
import { CannotRun, type Terminal } from './terminal.ts'

type Options = { url: string; vkey: string; previousVkey?: string[]; state: string }

export function addLogFollow(log: Command, terminal: Terminal): void {
  log
    .command('follow')
    .description('check that a log only grew since the last time, and keep its newest checkpoint')
    .requiredOption('--url <prefix>', 'the served log, such as https://broker.example/log')
    .requiredOption('--vkey <key>', "the log's verifier key, from somebody you trust")
    .option('--previous-vkey <key...>', 'keys the log had before, for the kept checkpoint; may be repeated')
    .requiredOption('--state <file>', 'where the checkpoint is kept between runs')
    .action(async ({ url, vkey, previousVkey = [], state }: Options) => {
      if (!URL.canParse(url)) throw new CannotRun(`${url} is not a URL`)
      const previous = existsSync(state) ? readText(state) : undefined
      const verdict = await followLog(previous, httpLogSource(url), {
        logKey: readVkey(vkey),
        previousLogKeys: previousVkey.map((key) => readVkey(key, '--previous-vkey')),
      })
      terminal.exitWith(report(verdict, state, terminal) ? 0 : 1)
    })
}

/** Says what was found and keeps what must be kept; false when something is wrong. */
function report(verdict: FollowVerdict, state: string, terminal: Terminal): boolean {
  switch (verdict.kind) {
    case 'first':
    case 'unchanged':
    case 'grown': {
      writeWhole(state, verdict.note)
      const { origin, treeSize } = verdict.checkpoint
      terminal.out(`${terminal.paint('green', WORDS[verdict.kind])}: ${origin}, ${treeSize} leaves`)
      return true
    }
    case 'contradiction': {
      // The older checkpoint stays in the state: the two notes together are the evidence.
      const evidence = `${state}.contradiction`
      const path = verdict.path.map((hash) => hash.toString('base64'))
      const { previousNote, note } = verdict
      writeWhole(evidence, `${JSON.stringify({ previousNote, note, path }, null, 2)}\n`)
      terminal.out(terminal.paint('red', 'the log signed two histories'))
      terminal.out(`both checkpoints are kept in ${evidence}: show them to whoever relies on this log`)
      return false
    }
    case 'behind':
      terminal.out(terminal.paint('red', 'the log is behind the checkpoint kept from the last time'))
      terminal.out('an old copy is served, or the log was put back; the kept checkpoint was not changed')
      return false
    case 'previous_refused':
      terminal.out(
        `${terminal.paint('red', verdict.code)} ${state} holds no checkpoint of this log and these keys`,
      )
      terminal.out(
        '    it was not changed; if the log key was rotated, name the one before with --previous-vkey',
      )
      return false
    case 'fault':
      printLogFault(verdict.fault, terminal)
      return false
  }
}

const WORDS = {
  first: 'the first checkpoint is kept',
  unchanged: 'unchanged',
  grown: 'the log only grew',
} as const

/** A crash leaves the old checkpoint or the new one, never half of one. */
function writeWhole(path: string, text: string): void {
  const beside = `${path}.new`
  try {
    rmSync(beside, { force: true })
    const handle = openSync(beside, 'wx', 0o600)
    try {
      writeFileSync(handle, text)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    renameSync(beside, path)
  } catch (cause) {
    throw new CannotRun(`cannot write ${path}`, { cause })
  }
}
