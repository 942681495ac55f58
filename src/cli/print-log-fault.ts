import type { LogFault } from '../core/merkle/log-audit.ts'
import { visibleText } from '../core/text-rules.ts'
import type { Terminal } from './terminal.ts'

/** What each fault means, and what a person can do about it. */
const SENTENCES: Record<LogFault['code'], string> = {
  malformed_note: 'The checkpoint is not a signed note; is this the address of a log?',
  bad_signature: 'The checkpoint was changed, or was never signed by the key it names.',
  no_known_signature:
    'The checkpoint is not signed by this key. If the log has a new key, get it from somebody you trust.',
  malformed_checkpoint: 'What was signed is not a checkpoint.',
  wrong_origin: 'The checkpoint is of another log.',
  unavailable: 'A part of the log could not be read, so nothing is proven; try again.',
  malformed_bundle: 'A bundle of entries is not in the form of C2SP tlog-tiles.',
  malformed_tile: 'A tile of hashes is not in the form of C2SP tlog-tiles.',
  leaf_mismatch: 'An entry does not have the hash that the tiles hold of it: one of the two was changed.',
  tile_mismatch: 'A hash is not that of the leaves below it.',
  root_mismatch: 'Entries and tiles agree, and are not what was signed.',
}

/** Prints what is wrong with a log: the code with its facts, then what it means. */
export function printLogFault({ code, ...facts }: LogFault, terminal: Terminal): void {
  terminal.out(`${terminal.paint('red', code)} ${visibleText(JSON.stringify(facts))}`)
  const isRefused = 'detail' in facts && /answered 40[13]$/.test(facts.detail)
  terminal.out(
    `    ${isRefused ? 'Entries need a token with the scope log:read: give one with --token-file.' : SENTENCES[code]}`,
  )
}
