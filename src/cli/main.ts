#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { addBackup } from './backup.ts'
import { addDoctor } from './doctor.ts'
import { addFailover } from './failover.ts'
import { addGuard } from './guard.ts'
import { addKeysGenerate } from './keys-generate.ts'
import { addKeysRotate, addKeysRotateEpoch } from './keys-rotate.ts'
import { addLogFollow } from './log-follow.ts'
import { addLogPromise } from './log-promise.ts'
import { addLogVerify } from './log-verify.ts'
import { addLogin } from './login.ts'
import { addManifestDiff } from './manifest-diff.ts'
import { addManifestImport } from './manifest-import.ts'
import { addManifestLint } from './manifest-lint.ts'
import { addManifestRegister } from './manifest-register.ts'
import { addManifestSign } from './manifest-sign.ts'
import { addManifestVerify } from './manifest-verify.ts'
import { addMigrate } from './migrate.ts'
import { addMigrateSchema } from './migrate-schema.ts'
import { addRestore } from './restore.ts'
import { CannotRun, openTerminal } from './terminal.ts'
import { addToken } from './token.ts'

const terminal = openTerminal(process)
const program = new Command('countersign')
  .description('The permission and consent broker between AI agents and third-party skills.')
  .addHelpText('after', '\nExit codes: 0 done, 1 refused or faults found, 2 the command could not run.')
  .showHelpAfterError('(countersign --help lists the commands)')
  .exitOverride()

const keys = program.command('keys').description('signing keys')
addKeysGenerate(keys, terminal)
addKeysRotate(keys, terminal, process.env)
addKeysRotateEpoch(keys, terminal, process.env)

const manifest = program.command('manifest').description("a skill's manifest: check, sign, compare, register")
addManifestImport(manifest, terminal, process.env)
addManifestLint(manifest, terminal)
addManifestSign(manifest, terminal)
addManifestVerify(manifest, terminal)
addManifestDiff(manifest, terminal)
addManifestRegister(manifest, terminal)

const log = program
  .command('log')
  .description('the published log: verify it, follow it, hold its promises against it')
addLogVerify(log, terminal, process.env)
addLogFollow(log, terminal)
addLogPromise(log, terminal)

addDoctor(program, terminal, process.env)
addLogin(program, terminal, process.env)
addGuard(program, terminal, process.env)
addBackup(program, terminal, process.env)
addRestore(program, terminal, process.env)
addMigrate(program, terminal, process.env)
addMigrateSchema(program, terminal, process.env)
addFailover(program, terminal, process.env)
addToken(program, terminal, process.env)

try {
  await program.parseAsync(process.argv)
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed its own message; asking for help is no mistake.
    terminal.exitWith(error.exitCode === 0 ? 0 : 2)
  } else if (error instanceof CannotRun) {
    terminal.err(error.message)
    terminal.exitWith(2)
  } else throw error
}
