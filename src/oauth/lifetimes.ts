const MINUTE_SECONDS = 60
const DAY_SECONDS = 86_400

/** How long what the authorization server issues is good for, in seconds. */
export const LIFETIMES = {
  /** Longer than five minutes: Qwen Code takes a token with less left for one that has expired. */
  accessToken: 10 * MINUTE_SECONDS,
  authorizationCode: MINUTE_SECONDS,
  /** A person may read several consent pages before the program has its answer. */
  interaction: 60 * MINUTE_SECONDS,
  deviceCode: 10 * MINUTE_SECONDS,
  /** From one use to the next. */
  refreshToken: 30 * DAY_SECONDS,
  /** The whole of a family; then the person is asked again. */
  family: 180 * DAY_SECONDS,
} as const
