/** Who is prepared beside whom. */
import type { PrepareScheduler } from '../transaction/prepare-all.ts';
import type { PrimaryContext } from './context.ts';

/** ECUs prepared at once when nothing is known of their buses. */
const AT_ONCE = 4;

/** Makes the scheduler of this vehicle. */
export function schedulerOf(_context: PrimaryContext): PrepareScheduler {
  return { pick: (waiting, running) => (running.length < AT_ONCE ? waiting[0] : undefined) };
}
