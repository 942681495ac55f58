import type { Command } from 'commander'
import { currentEpoch } from '../broker/current-epoch.ts'
import { type DoctorReport, examineStore } from '../broker/doctor.ts'
import { countOf } from './count-of.ts'
import { deploymentConfig, readRegister, withView } from './deployment.ts'
import { printKeyEpoch } from './print-key-epoch.ts'
import type { Terminal } from './terminal.ts'

type Env = Readonly<Record<string, string | undefined>>
type Options = { data: string; json: boolean }

export function addDoctor(program: Command, terminal: Terminal, env: Env): void {
  program
    .command('doctor')
    .description('recompute every counter from its permits and the log from its leaves; changes nothing')
    .option(
      '--data <folder>',
      'the data folder of a broker, which may be running',
      env.COUNTERSIGN_DATA ?? './data',
    )
    .option('--json', 'print the report as JSON', false)
    .addHelpText(
      'after',
      '\nWith COUNTERSIGN_DATABASE_URL set, the database is that one, and the register the one that is configured.',
    )
    .action(async (options: Options) => {
      const config = deploymentConfig(options.data, env)
      const epoch = await withView(config, (view) => currentEpoch({ store: view }))
      // Read before what is held against it: the log may have grown since, and the register must not have.
      const registered = await readRegister(config, epoch)
      const report = await withView(config, (view) => examineStore(view, registered))
      if (options.json) terminal.out(JSON.stringify(report, null, 2))
      else {
        print(report, terminal)
        printKeyEpoch(config, Date.now(), terminal)
      }
      terminal.exitWith(report.faults.length > 0 ? 1 : 0)
    })
}

function print({ faults, unsettled, checked }: DoctorReport, terminal: Terminal): void {
  terminal.out(
    `checked ${countOf(checked.counters, 'counter')} of ${countOf(checked.users, 'user')}, ${countOf(checked.actions, 'action')} and ${checked.leaves} leaves`,
  )
  for (const { id, skillId, action, status, decidedAtMs } of unsettled) {
    const since = new Date(decidedAtMs).toISOString()
    terminal.out(`${terminal.paint('yellow', status)} ${id} ${skillId} ${action} since ${since}`)
  }
  for (const { code, where, detail } of faults)
    terminal.out(`${terminal.paint('red', code)} ${where}: ${detail}`)
  const verdict = faults.length === 0 ? terminal.paint('green', 'no faults') : countOf(faults.length, 'fault')
  terminal.out(`${verdict}, ${countOf(unsettled.length, 'permit')} not settled`)
}
