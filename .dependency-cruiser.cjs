/** Who may import whom: the table of CONTRIBUTING.md, checked. */
const only = (name, from, to) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^src/', pathNot: to },
})

module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    only('core-imports-itself', '^src/core/', ['^src/core/']),
    only('ports-import-core', '^src/ports/', ['^src/(core|ports)/']),
    only('broker-imports-core-and-ports', '^src/broker/', ['^src/(core|ports|broker)/']),
    only('adapters-import-core-and-ports', '^src/(store|keys|skills|notify)/', [
      '^src/(core|ports)/',
      '^src/$1/',
    ]),
    only('people-import-broker-and-core', '^src/people/', ['^src/(core|ports|broker|people)/']),
    only('http-imports-broker-and-core', '^src/http/', ['^src/(core|ports|broker|http)/']),
    only('oauth-imports-pages-and-http', '^src/oauth/', [
      '^src/(core|ports|broker|people|http|pages|oauth)/',
    ]),
    only('mcp-imports-use-cases-and-shared-checks', '^src/mcp/', ['^src/(core|ports|broker|http|mcp)/']),
    only('access-imports-use-cases-and-shared-checks', '^src/access/', [
      '^src/(core|ports|broker|http|access)/',
    ]),
    only('cli-imports-broker-core-sdk', '^src/cli/', [
      '^src/(core|ports|broker|keys|store|sdk|guard|cli)/',
      '^src/config\\.ts$',
    ]),
    only('pages-import-use-cases-and-shared-checks', '^src/pages/', [
      '^src/(core|ports|broker|people|http|pages)/',
    ]),
    only('guard-runs-alone', '^src/guard/', ['^src/(core|guard)/']),
    only('sdk-ships-alone', '^src/sdk/', ['^src/(core|sdk)/']),
    {
      name: 'core-is-pure',
      severity: 'error',
      comment: 'A policy question is answered by reading one folder: no I/O, no clock, no randomness.',
      from: { path: '^src/core/' },
      to: {
        dependencyTypes: ['core', 'npm'],
        pathNot: ['^(node:)?(crypto|buffer|punycode|url)$', 'node_modules/(zod|re2js)/'],
      },
    },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^test/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
}
