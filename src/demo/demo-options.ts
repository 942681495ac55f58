import { parseArgs } from 'node:util'

export interface DemoOptions {
  /** Ends after the story instead of going on serving. */
  readonly once: boolean
  /** Uses `./data` and leaves it there; a temporary folder otherwise. */
  readonly keep: boolean
}

export const USAGE = [
  'npm run demo [-- --once] [-- --keep]',
  '  --once  end after the story; so does output that is not a terminal',
  '  --keep  use ./data and leave it there, instead of a temporary folder',
].join('\n')

/** Reads the command line; undefined if it is not as `USAGE` says. */
export function readOptions(args: readonly string[], isTerminal: boolean): DemoOptions | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { once: { type: 'boolean', default: false }, keep: { type: 'boolean', default: false } },
    })
    return { once: values.once || !isTerminal, keep: values.keep }
  } catch {
    return undefined
  }
}
