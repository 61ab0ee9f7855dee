/** Signs, hour by hour, where the chain of each tenant's fleet ends: what came before cannot be rewritten unseen. */
import { type Scheduled, sql, systemTimer, type Timer } from '@immota/store';
import type { CloudContext } from '../context.ts';
import { fleetStream } from '../event-log/event-sink.ts';
import { signCheckpoint } from '../event-log/verify-stream.ts';
import type { Keystore } from '../trust/keystore.ts';
import { listTenants } from './tenants.ts';

const EVERY_MS = 3_600_000;

/** What signs until it is closed. */
export interface Checkpoints {
  /** Signs now what has grown since it was last signed. @returns how many streams. */
  sign(): Promise<number>;
  close(): Promise<void>;
}

/** Begins to sign. @param failed - told when a chain does not verify: nothing false is signed. */
export function openCheckpoints(
  { context, keystore }: { readonly context: CloudContext; readonly keystore: Keystore },
  failed: (error: unknown) => void,
  timer: Timer = systemTimer,
): Checkpoints {
  const { database, clock } = context;
  let running: Promise<unknown> = Promise.resolve();
  let scheduled: Scheduled;
  const sign = async (): Promise<number> => {
    const [signer] = keystore.signers('events');
    if (signer === undefined) return 0;
    let count = 0;
    for (const { tenant_id: tenant } of await listTenants(context)) {
      const stream = fleetStream(tenant);
      const { rows } = await sql<{ readonly has_grown: boolean }>`
        select coalesce(max(sequence), 0) > coalesce((select max(sequence) from event_checkpoint
          where stream = ${stream}), 0) as has_grown
        from event where stream = ${stream}`.execute(database.kysely);
      if (rows[0]?.has_grown !== true) continue;
      await signCheckpoint(database, stream, { signer, clock });
      count += 1;
    }
    return count;
  };
  const schedule = (): void => {
    scheduled = timer.schedule(EVERY_MS, () => {
      running = sign().catch(failed).then(schedule);
    });
  };
  schedule();
  return {
    sign,
    async close() {
      scheduled.cancel();
      await running;
      scheduled.cancel();
    },
  };
}
