const REST_MS = 24 * 3_600_000

/**
 * Whether a recovery is so recent that nothing wider may be given: whoever holds a stolen code gets in, but the
 * owner, who was told, has a day to come back first.
 *
 * @param recoveredAtMs when a recovery code was used last, null for never. Unix milliseconds.
 */
export function isWithinRecoveryRest(recoveredAtMs: number | null, nowMs: number): boolean {
  return recoveredAtMs !== null && nowMs < recoveredAtMs + REST_MS
}
