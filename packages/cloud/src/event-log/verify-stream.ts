/** Reads a stream back and checks every link, and checkpoints against the links. */
import { type Clock, equalBytes, type Signer } from '@immota/base';
import {
  AKTUALIZR,
  checkSignedBy,
  decodeEnvelope,
  type PublicKey,
  signMetadata,
} from '@immota/uptane';
import { CloudFault } from '../fault.ts';
import { CHECKPOINT_MAX_BYTES, EVENT_PAGE_ROWS } from '../limits.ts';
import type { CloudDatabase } from '../schema/database.ts';
import { type ChainedEvent, type ChainHead, GENESIS, linkHash } from './chain.ts';

const CHECKPOINT_TYPE = 'EventCheckpoint';

/**
 * Checks a stream from its first event to its last.
 *
 * @param visit - told of each event after its link was checked.
 * @returns where the chain ends.
 * @throws CloudFault EVENT_CHAIN when an event is missing, moved or not what was appended.
 */
export async function verifyStream(
  database: CloudDatabase,
  stream: string,
  visit: (event: ChainedEvent) => void = () => undefined,
): Promise<ChainHead> {
  let head: ChainHead = GENESIS;
  for (;;) {
    const rows = await database.kysely
      .selectFrom('event')
      .selectAll()
      .where('stream', '=', stream)
      .where('sequence', '>', head.sequence)
      .orderBy('sequence')
      .limit(EVENT_PAGE_ROWS)
      .execute();
    for (const row of rows) {
      if (row.sequence !== head.sequence + 1) {
        throw broken(stream, head.sequence + 1, 'it is missing');
      }
      const hash = linkHash(head.hash, row);
      if (!equalBytes(hash, row.hash)) throw broken(stream, row.sequence, 'it was changed');
      visit(row);
      head = { sequence: row.sequence, hash };
    }
    if (rows.length < EVENT_PAGE_ROWS) return head;
  }
}

/**
 * Signs where a stream's chain ends, so that what came before cannot be rewritten unseen.
 *
 * @param signer - the deployment's key for the event log.
 * @returns the checkpoint, or undefined when the stream is empty.
 * @throws CloudFault EVENT_CHAIN when the stream does not verify: nothing false is signed.
 */
export async function signCheckpoint(
  database: CloudDatabase,
  stream: string,
  { signer, clock }: { readonly signer: Signer; readonly clock: Clock },
): Promise<Uint8Array | undefined> {
  const { sequence, hash } = await verifyStream(database, stream);
  if (sequence === 0) return undefined;
  const at = clock.now().toString({ smallestUnit: 'second' });
  const signed = { _type: CHECKPOINT_TYPE, at, hash: hash.toHex(), sequence, stream };
  const document = await signMetadata(AKTUALIZR, signed, [signer]);
  await database.kysely
    .insertInto('event_checkpoint')
    .values({ stream, sequence, document })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return document;
}

/**
 * Checks every checkpoint of a stream against its chain.
 *
 * @param key - whose signatures count.
 * @returns how many checkpoints there are.
 * @throws CloudFault EVENT_CHAIN; UptaneFault when a checkpoint is forged.
 */
export async function verifyCheckpoints(
  database: CloudDatabase,
  stream: string,
  key: PublicKey,
): Promise<number> {
  const rows = await database.kysely
    .selectFrom('event_checkpoint')
    .select(['sequence', 'document'])
    .where('stream', '=', stream)
    .execute();
  const expected = new Map<number, string>();
  for (const { sequence, document } of rows) {
    const envelope = decodeEnvelope(AKTUALIZR, document, CHECKPOINT_MAX_BYTES);
    checkSignedBy(envelope, key, 'checkpoint');
    const { _type: type, hash, sequence: signedSequence, stream: signedStream } = envelope.signed;
    if (
      type !== CHECKPOINT_TYPE ||
      signedStream !== stream ||
      signedSequence !== sequence ||
      typeof hash !== 'string'
    ) {
      throw broken(stream, sequence, 'its checkpoint is for another');
    }
    expected.set(sequence, hash);
  }
  let previous = GENESIS.hash;
  const head = await verifyStream(database, stream, (event) => {
    previous = linkHash(previous, event);
    const hash = expected.get(event.sequence);
    if (hash !== undefined && hash !== previous.toHex()) {
      throw broken(stream, event.sequence, 'its checkpoint signs another hash');
    }
  });
  const beyond = [...expected.keys()].find((sequence) => sequence > head.sequence);
  if (beyond !== undefined) throw broken(stream, beyond, 'it is missing');
  return rows.length;
}

function broken(stream: string, sequence: number, why: string): CloudFault {
  return new CloudFault('EVENT_CHAIN', `Cannot trust event ${sequence} of "${stream}": ${why}`);
}
