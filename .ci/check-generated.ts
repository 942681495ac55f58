import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Fails when a schema has drifted from its migrations: whatever drizzle-kit would still write is missing. */
const ENGINES = [
  { folder: 'migrations/sqlite', dialect: 'sqlite', schema: './src/store/schema/sqlite.ts' },
  { folder: 'migrations/postgres', dialect: 'postgresql', schema: './src/store/schema/postgres.ts' },
]

for (const { folder, dialect, schema } of ENGINES) {
  if (hasDrifted(folder, dialect, schema)) {
    process.stderr.write(`${schema} has changed without a migration: run npm run migrations:generate.\n`)
    process.exitCode = 1
  } else {
    process.stdout.write(`${folder} is up to date with the schema.\n`)
  }
}

function hasDrifted(migrations: string, dialect: string, schema: string): boolean {
  const folder = mkdtempSync(join('node_modules', 'drift-'))
  try {
    cpSync(migrations, folder, { recursive: true })
    const before = readdirSync(folder).length
    const config = join(folder, 'drizzle.config.json')
    writeFileSync(config, JSON.stringify({ dialect, schema, out: folder }))
    execFileSync('drizzle-kit', ['generate', '--config', config, '--name', 'drift'], { stdio: 'pipe' })
    const added = readdirSync(folder).filter((name) => name.endsWith('_drift.sql'))
    return added.length > 0 || readdirSync(folder).length !== before + 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
