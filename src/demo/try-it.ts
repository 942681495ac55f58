export interface RunningDemo {
  readonly url: string
  /** The broker's data folder, where its keys are. */
  readonly folder: string
  readonly userId: string
  readonly agentId: string
  readonly operatorId: string
}

/** What a reader types into another terminal to call the running broker as each of the three kinds of caller. */
export function tryItLines({ url, folder, userId, agentId, operatorId }: RunningDemo): string[] {
  const token = 'npm run -s countersign -- token'
  const settings = [`COUNTERSIGN_PORT=${new URL(url).port}`, `COUNTERSIGN_DATA=${quoted(folder)}`]
  return [
    `export COUNTERSIGN_DEV_TOKENS=1 ${settings.join(' ')}`,
    `PERSON=$(${token} user --user ${userId})`,
    `AGENT=$(${token} agent --user ${userId} --agent ${agentId})`,
    `OPERATOR=$(${token} operator --name ${operatorId})`,
    `curl -s ${url}/v1/actions -H "authorization: Bearer $PERSON"`,
  ]
}

/** Single quotes, for a shell, where a path has more than plain characters. */
function quoted(path: string): string {
  return /^[\w/.-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}
