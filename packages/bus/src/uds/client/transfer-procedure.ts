/** Block by block: what is sent to an ECU or read from it. A lost answer costs one block, not the transfer. */
import { concatBytes } from '@immota/base';
import { BLOCK_ATTEMPTS_MAX } from '../limits.ts';
import type { UdsCall } from '../call.ts';
import { requestDownload } from '../service/0x34-request-download.ts';
import { FIRST_BLOCK, nextBlock, transferData } from '../service/0x36-transfer-data.ts';
import { exitTransfer } from '../service/0x37-request-transfer-exit.ts';
import { type FileRequest, requestFileTransfer } from '../service/0x38-request-file-transfer.ts';
import { UdsFault } from '../uds-fault.ts';
import { ask, type UdsProcedure } from './step.ts';

/** Bytes that are to be sent. */
export interface TransferSource {
  /** Names it in steps that read. */
  readonly source: string;
  readonly dataFormat: number;
  /** All of it. */
  readonly lengthBytes: number;
}

const NOTHING: Uint8Array = new Uint8Array();

/**
 * Writes memory.
 *
 * @param address - where the first byte of the source belongs.
 * @param offsetBytes - from where on the source is sent.
 */
export function* downloadMemory(
  source: TransferSource,
  address: number,
  offsetBytes: number,
): UdsProcedure<undefined> {
  const { dataFormat, lengthBytes } = source;
  const blockDataBytes = yield* ask(
    requestDownload({
      dataFormat,
      address: address + offsetBytes,
      sizeBytes: lengthBytes - offsetBytes,
    }),
  );
  yield* sendBlocks(source, blockDataBytes, offsetBytes);
  return undefined;
}

/**
 * Sends a file.
 *
 * @param mode - `resume` goes on where the ECU says.
 */
export function* sendFile(
  path: string,
  mode: 'add' | 'replace' | 'resume',
  source: TransferSource,
): UdsProcedure<undefined> {
  const { dataFormat, lengthBytes } = source;
  const answer = yield* ask(
    requestFileTransfer({ mode, path, dataFormat, sizeBytes: lengthBytes }),
  );
  if (answer.positionBytes > lengthBytes) {
    throw new UdsFault('ANSWER_UNEXPECTED', 'Cannot resume file: the ECU is past its end');
  }
  yield* sendBlocks(source, answer.blockDataBytes, answer.positionBytes);
  return undefined;
}

/**
 * Reads a file, or a listing.
 *
 * @param lengthMaxBytes - what is longer is not read.
 * @throws UdsFault ANSWER_UNEXPECTED when it is longer, or a block is empty or too long.
 */
export function* readFile(
  request: Pick<FileRequest, 'path'> & { readonly mode: 'read' | 'readDirectory' },
  lengthMaxBytes: number,
): UdsProcedure<Uint8Array> {
  const { sizeBytes } = yield* ask(
    requestFileTransfer({ ...request, dataFormat: 0, sizeBytes: 0 }),
  );
  if (sizeBytes > lengthMaxBytes) {
    throw new UdsFault('ANSWER_UNEXPECTED', `Cannot read file: ${sizeBytes} bytes`);
  }
  const parts: Uint8Array[] = [];
  let doneBytes = 0;
  for (let counter = FIRST_BLOCK; doneBytes < sizeBytes; counter = nextBlock(counter)) {
    const data = yield* askAgain(transferData(counter, NOTHING));
    doneBytes += data.length;
    if (data.length === 0 || doneBytes > sizeBytes) {
      throw new UdsFault('ANSWER_UNEXPECTED', `Cannot read file: a block of ${data.length} bytes`);
    }
    parts.push(data);
  }
  yield* ask(exitTransfer());
  return concatBytes(parts);
}

function* sendBlocks(
  { source, lengthBytes }: TransferSource,
  blockDataBytes: number,
  offsetBytes: number,
): UdsProcedure<undefined> {
  let doneBytes = offsetBytes;
  for (let counter = FIRST_BLOCK; doneBytes < lengthBytes; counter = nextBlock(counter)) {
    const wantedBytes = Math.min(blockDataBytes, lengthBytes - doneBytes);
    const data = yield { kind: 'read', source, offsetBytes: doneBytes, lengthBytes: wantedBytes };
    if (data.length !== wantedBytes) {
      throw new UdsFault('VALUE_RANGE', `Cannot send "${source}": it is shorter than it was`);
    }
    yield* askAgain(transferData(counter, data));
    doneBytes += data.length;
    yield { kind: 'progress', progress: { kind: 'transferred', source, doneBytes, lengthBytes } };
  }
  yield* ask(exitTransfer());
  return undefined;
}

/** The same block with the same counter: a server that has it already says so {14229-1:2020 15.4.2.2}. */
function* askAgain<Result>(call: UdsCall<Result>): UdsProcedure<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return yield* ask(call);
    } catch (error) {
      const isLost = error instanceof UdsFault && error.code === 'TIMEOUT';
      if (!isLost || attempt === BLOCK_ATTEMPTS_MAX) throw error;
    }
  }
}
