import type { ActionRow } from '../ports/rows.ts'
import { type ActionRequest, type Authorization, authorizeAction } from './authorize-action.ts'
import type { Broker } from './broker.ts'
import { executeAction } from './execute-action.ts'
import { promisesOf } from './log-promise.ts'
import { attachPreview } from './preview-action.ts'
import { type ActionView, viewForAgent, viewInSession } from './view-action.ts'

/** What an agent is told of its request, with the log's promises for the leaves behind it. */
export type Performed = Told & { promises: readonly string[] }

type Told =
  | Exclude<Authorization, { kind: 'permit' } | { kind: 'remembered' }>
  | { kind: 'done'; view: ActionView; replayed: boolean }
  /** Permitted, and what became of it is not known yet. */
  | { kind: 'in_doubt'; row: ActionRow; replayed: boolean }
  /** The same key is being carried out right now. */
  | { kind: 'in_flight'; row: ActionRow }
  /** The key was refused before, and stays refused: another try needs a new key. */
  | { kind: 'refused_before'; row: ActionRow }

/**
 * The path of one action (DESIGN section 4): decide, reserve, log, execute, settle, in that order.
 *
 * @param onPermit told between the durable permit and the call to the skill.
 */
export async function performAction(
  broker: Broker,
  asked: ActionRequest,
  onPermit?: () => void,
): Promise<Performed> {
  const told = await perform(broker, asked, onPermit)
  const row = told.kind === 'done' ? told.view.row : 'row' in told ? told.row : undefined
  return { ...told, promises: row ? await promisesOf(broker, row) : [] }
}

async function perform(broker: Broker, asked: ActionRequest, onPermit?: () => void): Promise<Told> {
  const authorization = await authorizeAction(broker, asked)
  switch (authorization.kind) {
    case 'permit': {
      const { id } = authorization.permit.row
      onPermit?.()
      const row = await broker.inFlight.track(id, executeAction(broker, authorization.permit))
      return told(broker, row, asked, false)
    }
    case 'remembered':
      return authorization.row.status === 'refused'
        ? { kind: 'refused_before', row: authorization.row }
        : told(broker, authorization.row, asked, true)
    case 'ask':
      return { ...authorization, approval: await attachPreview(broker, asked, authorization) }
    default:
      return authorization
  }
}

async function told(
  broker: Broker,
  row: ActionRow,
  { sessionId }: ActionRequest,
  replayed: boolean,
): Promise<Told> {
  if (row.status === 'in_doubt') return { kind: 'in_doubt', row, replayed }
  if (row.status === 'dispatched') return { kind: 'in_flight', row }
  const view = replayed ? await viewInSession(broker, row, sessionId) : await viewForAgent(broker, row)
  return { kind: 'done', view, replayed }
}
