import type { Command } from 'commander'
import { z } from 'zod'
import { httpLogSource } from '../sdk/http-log-source.ts'
import { type PromiseVerdict, verifyPromise } from '../sdk/verify-promise.ts'
import { readVkey } from './log-verify.ts'
import { printLogFault } from './print-log-fault.ts'
import { readJson, readText } from './read-input.ts'
import { CannotRun, type Terminal } from './terminal.ts'

type Options = { url: string; vkey: string; keys: string; issuer: string }

const keySet = z.looseObject({ keys: z.array(z.unknown()) })
const answer = z.looseObject({ promises: z.array(z.string()).min(1) })

export function addLogPromise(log: Command, terminal: Terminal): void {
  log
    .command('promise <file>')
    .description('hold promises of inclusion against a log: kept, not due yet, or broken')
    .requiredOption('--url <prefix>', 'the served log, such as https://broker.example/log')
    .requiredOption('--vkey <key>', "the log's verifier key, from somebody you trust")
    .requiredOption('--keys <file>', "the broker's published keys, as /.well-known/jwks.json gives them")
    .requiredOption('--issuer <url>', 'the broker, exactly as it names itself')
    .addHelpText('after', '\nThe file is an answer of the broker with its "promises", or one promise alone.')
    .action(async (file: string, { url, vkey, keys, issuer }: Options) => {
      if (!URL.canParse(url)) throw new CannotRun(`${url} is not a URL`)
      const set = keySet.safeParse(readJson(keys))
      if (!set.success) throw new CannotRun(`${keys} is not a key set`)
      const trust = { keys: set.data.keys, issuer, logKey: readVkey(vkey) }
      let isGood = true
      for (const promise of promisesIn(file)) {
        const verdict = await verifyPromise(promise, httpLogSource(url), trust)
        print(verdict, promise, terminal)
        isGood &&= verdict.kind === 'kept' || verdict.kind === 'not_yet_due'
      }
      terminal.exitWith(isGood ? 0 : 1)
    })
}

/** @throws CannotRun if the file holds no promise. */
function promisesIn(file: string): readonly string[] {
  const text = readText(file).trim()
  if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(text)) return [text]
  const parsed = answer.safeParse(readJson(file))
  if (!parsed.success) throw new CannotRun(`${file} is neither a promise nor an answer with "promises"`)
  return parsed.data.promises
}

function print(verdict: PromiseVerdict, promise: string, terminal: Terminal): void {
  switch (verdict.kind) {
    case 'kept':
      terminal.out(`${terminal.paint('green', 'kept')}: leaf ${verdict.leafIndex} of ${verdict.claims.org}`)
      return
    case 'not_yet_due':
      terminal.out(
        `not due yet: it must be in the log by ${new Date(verdict.claims.mby * 1000).toISOString()}`,
      )
      return
    case 'broken':
      terminal.out(terminal.paint('red', 'BROKEN: the log does not hold what it promised to hold by now'))
      terminal.out('keep the promise and this checkpoint: together they are the evidence')
      terminal.out(promise)
      terminal.out(verdict.note.trimEnd())
      return
    case 'refused':
      terminal.out(`${terminal.paint('red', verdict.code)} this is no promise of that broker for that log`)
      return
    case 'fault':
      printLogFault(verdict.fault, terminal)
  }
}
