// `npm run build`: makes the package that agents and skills install, in dist/, from the entries of src/sdk.
//
// The repository itself is the broker and is never published. What it exports and what the emitted files import is all
// the package has: its package.json is derived from ours, so that no dependency of a server comes along.
import { execFileSync } from 'node:child_process'
import { copyFileSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const out = resolve(process.argv[2] ?? join(root, 'dist'))

const manifestShape = z.looseObject({
  name: z.string(),
  version: z.string(),
  description: z.string(),
  license: z.string(),
  engines: z.record(z.string(), z.string()),
  exports: z.record(z.string(), z.union([z.string(), z.record(z.string(), z.string())])),
  dependencies: z.record(z.string(), z.string()),
})

const ours = manifestShape.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
const tsc = join(root, 'node_modules/typescript/bin/tsc')
execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', out], {
  stdio: 'inherit',
})

const emitted = globSync('**/*.{js,d.ts}', { cwd: out })
const imported = new Set<string>()
for (const file of emitted) {
  const path = join(out, file)
  // The compiler rewrites the names of imported files in what runs, and not in what is declared.
  const text = readFileSync(path, 'utf8').replace(/((?:from|import) ?\(?['"]\.[^'"]*)\.ts(['"])/g, '$1.js$2')
  if (file.endsWith('.d.ts')) writeFileSync(path, text)
  for (const [, name = ''] of text.matchAll(/(?:from|import)\s*\(?['"]([^.'"][^'"]*)['"]/g)) {
    if (!name.startsWith('node:'))
      imported.add(
        name
          .split('/')
          .slice(0, name.startsWith('@') ? 2 : 1)
          .join('/'),
      )
  }
}
const unknown = [...imported].filter((name) => ours.dependencies[name] === undefined)
if (unknown.length > 0) throw new Error(`imported and no dependency: ${unknown.join(', ')}`)

const strip = (target: string) => target.replace(/^\.\/dist\//, './')
const conditions = (target: string | Record<string, string>) =>
  typeof target === 'string'
    ? strip(target)
    : Object.fromEntries(Object.entries(target).map(([name, path]) => [name, strip(path)]))
const theirs = {
  name: ours.name,
  version: ours.version,
  description: `${ours.description}: SDK for agents, skills and auditors`,
  license: ours.license,
  type: 'module',
  engines: ours.engines,
  sideEffects: false,
  files: ['core', 'sdk', 'README.md', 'LICENSE'],
  exports: Object.fromEntries(Object.entries(ours.exports).map(([name, to]) => [name, conditions(to)])),
  dependencies: Object.fromEntries([...imported].sort().map((name) => [name, ours.dependencies[name]])),
}
writeFileSync(join(out, 'package.json'), `${JSON.stringify(theirs, null, 2)}\n`)
copyFileSync(join(root, 'src/sdk/README.md'), join(out, 'README.md'))
copyFileSync(join(root, 'LICENSE'), join(out, 'LICENSE'))
process.stdout.write(`${emitted.length} files in ${out}, importing ${[...imported].sort().join(', ')}\n`)
