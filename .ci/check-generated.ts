import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Fails when the schema has drifted from the migrations: whatever drizzle-kit would still write is missing. */
const folder = mkdtempSync(join('node_modules', 'drift-'))
try {
  cpSync('migrations/sqlite', folder, { recursive: true })
  const before = readdirSync(folder).length
  const config = join(folder, 'drizzle.config.json')
  writeFileSync(
    config,
    JSON.stringify({ dialect: 'sqlite', schema: './src/store/schema/sqlite.ts', out: folder }),
  )
  execFileSync('drizzle-kit', ['generate', '--config', config, '--name', 'drift'], { stdio: 'pipe' })
  const added = readdirSync(folder).filter((name) => name.endsWith('_drift.sql'))
  if (added.length > 0 || readdirSync(folder).length !== before + 1) {
    process.stderr.write('The schema has changed without a migration: run npm run migrations:generate.\n')
    process.exitCode = 1
  } else {
    process.stdout.write('Migrations are up to date with the schema.\n')
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
