import { styleText } from 'node:util'

/** 1: the thing itself was refused. 2: the command could not run, because of its arguments or the machine. */
export type ExitCode = 0 | 1 | 2

type Style = 'red' | 'yellow' | 'green' | 'bold' | 'dim'

/** Where commands speak: results on stdout, complaints on stderr, and the code the process ends with. */
export interface Terminal {
  out(line: string): void
  err(line: string): void
  /** Colours text when stdout is a terminal; pipes and files get plain text. */
  paint(style: Style, text: string): string
  exitWith(code: ExitCode): void
}

/** A command cannot run; its message is all a person needs, so no stack trace is printed. */
export class CannotRun extends Error {}

export function openTerminal(process: NodeJS.Process): Terminal {
  return {
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    // styleText itself looks at the stream, NO_COLOR and FORCE_COLOR.
    paint: (style, text) => styleText(style, text, { stream: process.stdout }),
    exitWith: (code) => {
      process.exitCode = code
    },
  }
}
