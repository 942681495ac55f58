// `npm run check:package`: packs what `npm run build` made, as npm would, and holds it against publint and
// are-the-types-wrong; prints what each entry brings along.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const built = resolve(process.argv[2] ?? join(root, 'dist'))
/** What one entry may bring along, in bytes; more is somebody's import that does not belong there. */
const BYTES_MOST = 160_000

const folder = mkdtempSync(join(tmpdir(), 'countersign-pack-'))
const faults: string[] = []
try {
  const packed = execFileSync(
    'npm',
    ['pack', built, '--json', '--ignore-scripts', '--pack-destination', folder],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  )
  const [{ filename, size }] = JSON.parse(packed) as [{ filename: string; size: number }]

  const manifest = JSON.parse(readFileSync(join(built, 'package.json'), 'utf8'))
  const { messages } = await publint({ pkgDir: built, strict: true, pack: 'npm' })
  for (const message of messages) faults.push(`publint: ${formatMessage(message, manifest)}`)

  const tarball = createPackageFromTarballData(new Uint8Array(readFileSync(join(folder, filename))))
  const checked = await checkPackage(tarball)
  if (!checked.types) faults.push('are-the-types-wrong: there are no types')
  for (const problem of 'problems' in checked ? checked.problems : []) {
    // The package is ESM for Node 22.12 and newer, which `require` loads as well; what came before exports is not served.
    const isOld = 'resolutionKind' in problem && problem.resolutionKind === 'node10'
    if (isOld || problem.kind === 'CJSResolvesToESM') continue
    faults.push(`are-the-types-wrong: ${JSON.stringify(problem)}`)
  }

  process.stdout.write(`countersign ${manifest.version}: ${kb(size)} packed\n`)
  for (const [name, to] of Object.entries<{ default?: string }>(manifest.exports)) {
    if (to.default === undefined) continue
    const files = reachable(join(built, to.default))
    const text = [...files].map((file) => readFileSync(file, 'utf8')).join('')
    const bytes = Buffer.byteLength(text)
    process.stdout.write(
      `${name.padEnd(16)} ${String(files.size).padStart(3)} files ${kb(bytes).padStart(9)} ${kb(gzipSync(text).length).padStart(9)} gzip\n`,
    )
    if (bytes > BYTES_MOST) faults.push(`${name} has grown to ${kb(bytes)}`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
for (const fault of faults) process.stderr.write(`${fault}\n`)
process.exitCode = faults.length > 0 ? 1 : 0

/** The files an entry loads, by its relative imports. */
function reachable(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  for (const [, to = ''] of readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?['"](\.[^'"]+)['"]/g)) {
    const next = join(dirname(file), to)
    if (relative(built, next).startsWith('..')) throw new Error(`${file} imports ${to}`)
    reachable(next, seen)
  }
  return seen
}

function kb(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`
}
