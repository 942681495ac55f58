import type { SampleSkillName } from './skills/sample-skill.ts'
import {
  type SkillProcess,
  type SkillProcessOptions,
  startSkillProcess,
} from './skills/start-skill-process.ts'

/** A skill's process that can die and come back at the same address. */
export interface RevivableSkill {
  readonly name: SampleSkillName
  readonly baseUrl: string
  current(): SkillProcess
  /** Starts it again with its journal, once it has ended. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** Starts the skill and remembers how, so that it can be started again. */
export async function startRevivable(options: SkillProcessOptions): Promise<RevivableSkill> {
  let current = await startSkillProcess(options)
  const { baseUrl } = current
  const port = Number(new URL(baseUrl).port)
  return {
    name: options.name,
    baseUrl,
    current: () => current,
    async restart() {
      await current.ended()
      current = await startSkillProcess({ ...options, port })
    },
    stop: () => current.kill(),
  }
}
