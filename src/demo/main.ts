import { once as nextEvent } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StartRefused } from '../compose.ts'
import { DataFolderBusy } from '../store/data-folder.ts'
import { type DemoOptions, readOptions, USAGE } from './demo-options.ts'
import { type Narrator, openNarrator } from './narrator.ts'
import { openWorld, type World } from './open-world.ts'
import { StoryFailed } from './story-failed.ts'
import { tellStory } from './tell-story.ts'
import { tryItLines } from './try-it.ts'

const INTERRUPTED = 130

const options = readOptions(process.argv.slice(2), process.stdout.isTTY === true)
if (options) process.exitCode = await run(options)
else {
  process.stderr.write(`${USAGE}\n`)
  process.exitCode = 2
}

/** Runs the demo and returns the exit code: 0 when everything was as the story says. */
async function run({ once, keep }: DemoOptions): Promise<number> {
  const narrator = openNarrator(process.stdout)
  const interrupted = Promise.race([nextEvent(process, 'SIGINT'), nextEvent(process, 'SIGTERM')])
  const home = keep ? process.cwd() : mkdtempSync(join(tmpdir(), 'countersign-demo-'))
  const folder = join(home, 'data')
  const logFile = join(keep ? folder : home, 'broker.log')
  let world: World | undefined
  try {
    narrator.title('Countersign stands between an agent and everything it could do in your name.')
    narrator.say(`Data in ${folder}, the broker's log in ${logFile}.`)
    world = await openWorld(narrator, { folder, logFile })
    const leaves = await Promise.race([tellStory(world.cast), interrupted])
    if (typeof leaves !== 'number') return INTERRUPTED
    if (!once) tellServing(narrator, world)
    narrator.line()
    narrator.done(`The log verifies: all ${leaves} leaves are under the signed checkpoint.`)
    if (!once) await interrupted
    return 0
  } catch (error) {
    narrator.failed(textOf(error))
    narrator.line(`    The broker's log may say more: ${logFile}`)
    return 1
  } finally {
    await world?.stop()
    // Keys and decisions of a demo are nobody's to find; the broker's log stays for whoever wants to look.
    if (!keep) rmSync(folder, { recursive: true, force: true })
  }
}

function tellServing(narrator: Narrator, { cast: { brokerUrl }, skills, running }: World): void {
  narrator.line()
  narrator.say('The broker goes on serving until you press Ctrl-C:')
  narrator.say(`  API         ${brokerUrl}/docs`)
  narrator.say(`  checkpoint  ${brokerUrl}/log/checkpoint`)
  narrator.say(`  skills      ${skills.origins.join('  ')}`)
  narrator.line()
  narrator.say('To use it too:')
  for (const line of tryItLines(running)) narrator.line(line)
}

/** Faults a reader can do something about speak for themselves; anything else is a defect and shows where. */
function textOf(error: unknown): string {
  const isPlain =
    error instanceof StoryFailed || error instanceof StartRefused || error instanceof DataFolderBusy
  if (isPlain) return error.message
  return `This should not happen: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
}
