import { readFileSync } from 'node:fs'

/** Prints the test run's totals as one plain line, from the report that `npm test` leaves behind. */
const report = JSON.parse(readFileSync('node_modules/.cache/test-report.json', 'utf8')) as {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
}
const skipped = report.numPendingTests > 0 ? `, ${report.numPendingTests} skipped` : ''
process.stdout.write(`${report.numPassedTests} passed, ${report.numFailedTests} failed${skipped}\n`)
