/** What is wrong with a manifest, where, and how its publisher mends it. */
export interface ManifestFault {
  /** JSON Pointer into the manifest; the empty text is the whole of it. */
  readonly pointer: string
  /** Stable, snake_case. */
  readonly code: string
  /** An error refuses the version; a warning is for the publisher and the operator who reviews it. */
  readonly severity: 'error' | 'warning'
  readonly message: string
  readonly mend: string
}

export function errorAt(pointer: string, code: string, message: string, mend: string): ManifestFault {
  return { pointer, code, severity: 'error', message, mend }
}

export function warningAt(pointer: string, code: string, message: string, mend: string): ManifestFault {
  return { pointer, code, severity: 'warning', message, mend }
}
