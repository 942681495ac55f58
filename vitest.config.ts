import { defineConfig } from 'vitest/config'
import { findPostgres, WITHOUT_POSTGRES } from './test/support/postgres-server.ts'

/** Files about PostgreSQL itself. */
const ABOUT_POSTGRES = ['test/**/postgres-*.test.ts', 'test/postgres/**/*.test.ts']

/** What goes through the store's port, and is run on both engines. */
const ON_BOTH_ENGINES = [
  'broker',
  'property',
  'http',
  'oauth',
  'people',
  'pages',
  'mcp',
  'access',
  'conformance/authzen',
  'guard',
].map((folder) => `test/${folder}/**/*.test.ts`)

/** About the embedded engine's file, or about what a browser shows, whatever folder it is in. */
const EMBEDDED_ONLY = ['test/http/crash.test.ts', 'test/pages/browser/**']

const hasPostgres = findPostgres() !== undefined
if (!hasPostgres) process.stderr.write(WITHOUT_POSTGRES)

export default defineConfig({
  test: {
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: [
      ['default', { summary: false }],
      ['json', { outputFile: 'node_modules/.cache/test-report.json' }],
    ],
    projects: [
      {
        extends: true,
        test: { name: 'embedded', include: ['test/**/*.test.ts'], exclude: ABOUT_POSTGRES },
      },
      ...(hasPostgres
        ? [
            {
              extends: true as const,
              test: {
                name: 'postgres',
                include: [...ABOUT_POSTGRES, ...ON_BOTH_ENGINES],
                exclude: EMBEDDED_ONLY,
                env: { TEST_STORE: 'postgres' },
                globalSetup: ['test/support/postgres-setup.ts'],
              },
            },
          ]
        : []),
    ],
  },
})
