/** Says which setting names a data folder that cannot be used; undefined if the fault is not the file system's. */
export function folderFault(folder: string, error: unknown): string | undefined {
  const code = systemCodeOf(error)
  if (code === undefined) return undefined
  return `the data folder ${folder} cannot be used: ${FOLDER_REASONS[code] ?? code}. COUNTERSIGN_DATA names it`
}

/** Says which setting names an address that cannot be listened on; undefined if the fault is another. */
export function listenFault(host: string, port: number, error: unknown): string | undefined {
  switch (systemCodeOf(error)) {
    case 'EADDRINUSE':
      return `port ${port} of ${host} is in use by another process: stop it, or set COUNTERSIGN_PORT to another port`
    case 'EACCES':
      return `port ${port} of ${host} may not be listened on by this user: set COUNTERSIGN_PORT to 1024 or more`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is no address of this machine: set COUNTERSIGN_HOST to one that is`
    default:
      return undefined
  }
}

const FOLDER_REASONS: Readonly<Record<string, string>> = {
  EEXIST: 'a file is in its place',
  ENOTDIR: 'a part of its path is a file',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the file system can only be read',
  ENOSPC: 'the disk is full',
}

function systemCodeOf(error: unknown): string | undefined {
  const isSystem = error instanceof Error && 'syscall' in error && 'code' in error
  return isSystem && typeof error.code === 'string' ? error.code : undefined
}
