import { styleText } from 'node:util'
import type { ApiAnswer } from './api-client.ts'

type Style = Parameters<typeof styleText>[0]

/** Tells the story line by line. */
export interface Narrator {
  title(text: string): void
  /** Begins a numbered step. */
  step(heading: string): void
  /** What happens, in plain words. */
  say(text: string): void
  /** One request and what the broker answered. */
  answer(answer: ApiAnswer): void
  /** What a person is shown before they say yes or no. */
  shown(text: string): void
  /** What is held and spent. */
  money(text: string): void
  /** What the step has proven. */
  done(text: string): void
  line(text?: string): void
  failed(text: string): void
}

/** Writes for people. Colours only where the stream is a terminal and NO_COLOR is not set, which styleText sees to. */
export function openNarrator(stream: NodeJS.WriteStream): Narrator {
  let steps = 0
  const paint = (style: Style, text: string) => styleText(style, text, { stream })
  const line = (text = '') => void stream.write(`${text}\n`)
  return {
    title: (text) => line(paint('bold', text)),
    step(heading) {
      steps += 1
      line()
      line(`${paint('cyan', String(steps).padStart(2))}  ${paint('bold', heading)}`)
    },
    say: (text) => line(`    ${text}`),
    answer({ method, path, status, code, outcome }) {
      const what = `${method} ${shortPath(path)}`
      const told = [status, code ?? outcome].filter((part) => part !== null).join(' ')
      line(`    ${paint('dim', what)}  ${paint(styleOf(status), told)}`)
    },
    shown: (text) => line(`    ${paint('dim', '│')} ${paint('italic', text)}`),
    money: (text) => line(`    ${paint('magenta', text)}`),
    done: (text) => line(`    ${paint('green', `✓ ${text}`)}`),
    line,
    failed: (text) => line(`    ${paint('red', `✗ ${text}`)}`),
  }
}

function styleOf(status: number): Style {
  if (status >= 400) return 'red'
  return status === 202 ? 'yellow' : 'green'
}

/** Ids are long and the same kind each time; their beginning and end tell them apart. */
function shortPath(path: string): string {
  return path
    .replace(/\b([a-z]{3}_)[0-9a-z]{20,}([0-9a-z]{4})\b/g, '$1…$2')
    .replace(/([A-Za-z0-9_-]{6})[A-Za-z0-9_-]{37}/g, '$1…')
}
