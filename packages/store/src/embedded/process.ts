/**
 * Tells whether a process is there, whoever owns it.
 *
 * @param pid - its number, above 0.
 */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and is somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
