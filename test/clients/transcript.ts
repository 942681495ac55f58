import { appendFileSync } from 'node:fs'

/** Keeps what programs said, in the file a run names: what stands in the README was said by them. */
export function tell(line: string): void {
  const file = process.env.COUNTERSIGN_TRANSCRIPT
  if (file !== undefined && file !== '') appendFileSync(file, `${line}\n`)
}
