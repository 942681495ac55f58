import { z } from 'zod'

/** A path's `{id}`. Whatever it spells, what is not ours is simply not found. */
export const pathId = z.strictObject({ id: z.string().min(1).max(256) })

/** Unix milliseconds. */
export const timeMs = z.int().min(0)
