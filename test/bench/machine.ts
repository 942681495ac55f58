import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'

/** What figures cannot be read without. */
export type Machine = {
  readonly cpu: string
  readonly cores: number
  readonly node: string
  readonly sqlite: string
  /** The version of the server; null where there is none. */
  readonly postgres: string | null
  /** One-minute load when the run began: what else kept the machine busy. */
  readonly loadBefore: number
  /** Appends of 4 KiB that reach the disk in a second, one after the other. */
  readonly fsyncsPerSecond: number
}

const BLOCK_BYTES = 4096

/** Describes the machine; the disk is the one the benchmark's folders are on. */
export function describeMachine(folder: string, fsyncForMs: number, postgres: string | null): Machine {
  const db = new Database(':memory:')
  const sqlite = String(db.prepare('select sqlite_version()').pluck().get())
  db.close()
  const found = cpus()
  return {
    cpu: found[0]?.model ?? 'unknown',
    cores: found.length,
    node: process.versions.node,
    sqlite,
    postgres,
    loadBefore: loadavg()[0] ?? 0,
    fsyncsPerSecond: Math.round(measureFsyncs(join(folder, 'fsync'), fsyncForMs)),
  }
}

function measureFsyncs(file: string, forMs: number): number {
  const descriptor = openSync(file, 'w')
  const block = Buffer.alloc(BLOCK_BYTES, 1)
  const startedMs = performance.now()
  let count = 0
  let elapsedMs = 0
  while (elapsedMs < forMs) {
    writeSync(descriptor, block)
    fsyncSync(descriptor)
    count += 1
    elapsedMs = performance.now() - startedMs
  }
  closeSync(descriptor)
  rmSync(file)
  return (count / elapsedMs) * 1000
}

export function machineLine(machine: Machine): string {
  const { cpu, cores, node, sqlite, postgres, loadBefore, fsyncsPerSecond } = machine
  const server = postgres === null ? '' : `, PostgreSQL ${postgres}`
  return `${cpu}, ${cores} cores, Node ${node}, SQLite ${sqlite}${server}, ${fsyncsPerSecond} fsyncs/s, load ${loadBefore.toFixed(1)} before the run`
}
