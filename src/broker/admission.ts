/** Whether this process may decide now, known without asking the store. */
export type Admission = {
  /** Why nothing is decided; undefined when it is. `node_lapsed`: others may have taken it for dead. */
  refusal(): 'log_behind' | 'node_lapsed' | undefined
}

/** For a broker whose log cannot be behind. */
export const ALWAYS_ADMITS: Admission = { refusal: () => undefined }
