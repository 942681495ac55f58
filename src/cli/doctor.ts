import type { Command } from 'commander'
import { currentEpoch } from '../broker/current-epoch.ts'
import { type DoctorReport, examineStore } from '../broker/doctor.ts'
import type { RegisterEntry } from '../ports/checkpoint-register.ts'
import { openCheckpointRegisterFile } from '../store/checkpoint-register-file.ts'
import { registerFileIn } from '../store/data-files.ts'
import { countOf } from './count-of.ts'
import { openDataView } from './data-log.ts'
import { CannotRun, type Terminal } from './terminal.ts'

type Options = { data: string; json: boolean }

export function addDoctor(program: Command, terminal: Terminal): void {
  program
    .command('doctor')
    .description('recompute every counter from its permits and the log from its leaves; changes nothing')
    .option('--data <folder>', 'the data folder of a broker, which may be running', './data')
    .option('--json', 'print the report as JSON', false)
    .action(async (options: Options) => {
      const view = openDataView(options.data)
      try {
        const report = await examineStore(
          view,
          await readRegister(options.data, await currentEpoch({ store: view })),
        )
        if (options.json) terminal.out(JSON.stringify(report, null, 2))
        else print(report, terminal)
        terminal.exitWith(report.faults.length > 0 ? 1 : 0)
      } finally {
        view.close()
      }
    })
}

async function readRegister(folder: string, epoch: number): Promise<RegisterEntry | undefined> {
  try {
    return await openCheckpointRegisterFile(registerFileIn(folder, epoch)).read()
  } catch (cause) {
    throw new CannotRun(cause instanceof Error ? cause.message : 'the checkpoint register cannot be read', {
      cause,
    })
  }
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
