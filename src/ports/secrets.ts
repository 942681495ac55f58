/** Secrets a skill wants in its arguments, from configuration; agents never see them. */
export interface SkillSecrets {
  /** Undefined where none is configured: then nothing is sent. */
  find(skillId: string, pointer: string): string | undefined
}
