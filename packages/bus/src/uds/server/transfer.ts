/**
 * The one transfer that may be under way {14229-1:2020 15}: opened by a download or a file, carried
 * by numbered blocks, closed by an exit.
 */
import { BLOCK_HEAD_BYTES, FILE_MAX_BYTES } from '../limits.ts';
import { RESPONSE_CODES } from '../response-code.ts';
import { encodeBlockLength, readDownload } from '../service/0x34-request-download.ts';
import { FIRST_BLOCK, nextBlock, readBlock } from '../service/0x36-transfer-data.ts';
import {
  encodeFileAnswer,
  isReading,
  readFileRequest,
} from '../service/0x38-request-file-transfer.ts';
import { type AdmittedRequest, checkLength } from './access.ts';
import type { MemoryProgramming } from './memory-programming.ts';
import { answer, type Reaction, refusal, resultOf } from './reaction.ts';

interface ActiveTransfer {
  readonly direction: 'write' | 'read';
  /** The block of memory; undefined for a file. */
  readonly block: number | undefined;
  /** Where it ends; it does not begin at 0 when it was resumed. */
  readonly endBytes: number;
  readonly offsetBytes: number;
  readonly counter: number;
  /** The block before, which the tester sends again when it has missed the answer. */
  readonly last: { readonly counter: number; readonly data: Uint8Array } | undefined;
}

const NOTHING: Uint8Array = new Uint8Array();

/** See the head of the file. */
export class Transfer {
  readonly #memory: MemoryProgramming;
  readonly #blockMaxBytes: number;
  #active: ActiveTransfer | undefined;

  /** @param blockMaxBytes - the longest message of a block, head included. */
  constructor(memory: MemoryProgramming, blockMaxBytes: number) {
    this.#memory = memory;
    this.#blockMaxBytes = blockMaxBytes;
  }

  /** Whether one is under way. */
  get isActive(): boolean {
    return this.#active !== undefined;
  }

  /** Ends it; nothing more is written. */
  abort(): void {
    this.#active = undefined;
  }

  /** Serves RequestDownload. */
  openDownload({ bytes }: AdmittedRequest): Reaction {
    const request = readDownload(bytes);
    this.#checkIdle();
    const block = this.#memory.findTarget(request);
    return {
      kind: 'perform',
      operation: { kind: 'openDownload', block, request },
      conclude: (outcome) => {
        resultOf(outcome, 'record');
        this.#memory.noteWriting(block, request);
        this.#active = opened('write', block, 0, request.sizeBytes);
        return answer(...encodeBlockLength(this.#blockMaxBytes));
      },
    };
  }

  /** Serves RequestFileTransfer. */
  openFile({ bytes }: AdmittedRequest): Reaction {
    const request = readFileRequest(bytes);
    this.#checkIdle();
    return {
      kind: 'perform',
      operation: { kind: 'openFile', request },
      conclude: (outcome) => {
        const { sizeBytes, positionBytes } = resultOf(outcome, 'opened');
        const { mode } = request;
        const isRead = isReading(mode);
        const endBytes = isRead ? sizeBytes : request.sizeBytes;
        const startBytes = mode === 'resume' ? positionBytes : 0;
        if (startBytes > endBytes || endBytes > FILE_MAX_BYTES) {
          throw refusal(RESPONSE_CODES.requestOutOfRange);
        }
        if (mode !== 'delete') {
          this.#active = opened(isRead ? 'read' : 'write', undefined, startBytes, endBytes);
        }
        const sizes = { sizeBytes, positionBytes };
        return answer(...encodeFileAnswer(request, this.#blockMaxBytes, sizes));
      },
    };
  }

  /** Serves TransferData. */
  carry(request: AdmittedRequest): Reaction {
    const active = this.#active;
    if (active === undefined) throw refusal(RESPONSE_CODES.requestSequenceError);
    const { counter, data } = readBlock(request.bytes);
    if (active.direction === 'read') checkLength(request, BLOCK_HEAD_BYTES);
    else if (data.length === 0) checkLength(request, BLOCK_HEAD_BYTES + 1);
    if (request.bytes.length > this.#blockMaxBytes) checkLength(request, this.#blockMaxBytes);
    const echo = Uint8Array.of(counter);
    // {14229-1:2020 15.4.2.2}: the answer was lost; the block is there, and is not written twice.
    if (counter === active.last?.counter) return answer(echo, active.last.data);
    if (counter !== active.counter) throw refusal(RESPONSE_CODES.wrongBlockSequenceCounter);
    return active.direction === 'read' ? this.#read(active, echo) : this.#write(active, echo, data);
  }

  /** Serves RequestTransferExit. */
  exit({ bytes }: AdmittedRequest): Reaction {
    const active = this.#active;
    const isWhole = active?.offsetBytes === active?.endBytes || active?.direction === 'read';
    if (active === undefined || !isWhole) throw refusal(RESPONSE_CODES.requestSequenceError);
    return {
      kind: 'perform',
      operation: { kind: 'finishTransfer', record: bytes.subarray(1) },
      conclude: (outcome) => {
        this.#active = undefined;
        if (outcome.kind === 'refused') this.#spoil(active);
        const { record } = resultOf(outcome, 'record');
        if (active.block !== undefined) this.#memory.noteLoaded(active.block);
        return answer(record);
      },
    };
  }

  #write(active: ActiveTransfer, echo: Uint8Array, data: Uint8Array): Reaction {
    const { offsetBytes, counter } = active;
    // {14229-1:2020 15.4.5}: more than was announced.
    if (offsetBytes + data.length > active.endBytes) {
      throw refusal(RESPONSE_CODES.transferDataSuspended);
    }
    return {
      kind: 'perform',
      operation: { kind: 'writeTransfer', offsetBytes, data },
      conclude: (outcome) => {
        if (outcome.kind === 'refused') this.#spoil(active);
        resultOf(outcome, 'record');
        this.#advance(active, data.length, { counter, data: NOTHING });
        return answer(echo);
      },
    };
  }

  #read(active: ActiveTransfer, echo: Uint8Array): Reaction {
    const { offsetBytes, counter } = active;
    const lengthBytes = Math.min(
      active.endBytes - offsetBytes,
      this.#blockMaxBytes - BLOCK_HEAD_BYTES,
    );
    if (lengthBytes === 0) throw refusal(RESPONSE_CODES.requestSequenceError);
    return {
      kind: 'perform',
      operation: { kind: 'readTransfer', offsetBytes, lengthBytes },
      conclude: (outcome) => {
        const { record } = resultOf(outcome, 'record');
        if (record.length !== lengthBytes) throw refusal(RESPONSE_CODES.generalReject);
        this.#advance(active, lengthBytes, { counter, data: record });
        return answer(echo, record);
      },
    };
  }

  #advance(active: ActiveTransfer, lengthBytes: number, last: ActiveTransfer['last']): void {
    const offsetBytes = active.offsetBytes + lengthBytes;
    this.#active = { ...active, offsetBytes, counter: nextBlock(active.counter), last };
  }

  #spoil({ block }: ActiveTransfer): void {
    this.#active = undefined;
    if (block !== undefined) this.#memory.spoil(block);
  }

  #checkIdle(): void {
    if (this.isActive) throw refusal(RESPONSE_CODES.conditionsNotCorrect);
  }
}

function opened(
  direction: ActiveTransfer['direction'],
  block: number | undefined,
  offsetBytes: number,
  endBytes: number,
): ActiveTransfer {
  return { direction, block, offsetBytes, endBytes, counter: FIRST_BLOCK, last: undefined };
}
