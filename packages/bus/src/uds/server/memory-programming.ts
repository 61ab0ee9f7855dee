/**
 * Which block of memory may be written, checked and counted as good. Erasing, writing and checking
 * are bound to the same block: a bootloader that asked only whether something had been erased was
 * broken by erasing one block and writing another, whose old mark of validity was still there.
 */
import { assert } from '@immota/base';
import { MEMORY_BLOCKS_MAX } from '../limits.ts';
import { RESPONSE_CODES } from '../response-code.ts';
import { MessageReader } from '../message-reader.ts';
import { type DownloadRequest, readAddressAndSize } from '../service/0x34-request-download.ts';
import type { MemoryBlock } from './description.ts';
import type { MemoryRegion } from './operation.ts';
import { refusal } from './reaction.ts';

/** What was done to a block in this session. */
interface BlockState {
  /** `spoilt`: neither the old content nor a new one; it has to be erased again. */
  readonly phase: 'spoilt' | 'erased' | 'loaded' | 'checked';
  readonly region: MemoryRegion;
  /** What lies before was written: nothing is written twice over one erasure. */
  readonly nextAddress: number;
}

const SPOILT: BlockState = {
  phase: 'spoilt',
  region: { address: 0, sizeBytes: 0 },
  nextAddress: 0,
};
/** The short form: one byte follows, which is the number of the block. */
const BY_NUMBER = 1;
const NUMBER_BYTES = 2;

/** See the head of the file. */
export class MemoryProgramming {
  readonly #blocks: ReadonlyMap<number, MemoryBlock>;
  #states = new Map<number, BlockState>();

  constructor(blocks: ReadonlyMap<number, MemoryBlock>) {
    assert(blocks.size <= MEMORY_BLOCKS_MAX, 'an ECU has few blocks of memory');
    this.#blocks = blocks;
  }

  /** Forgets what was done: nothing may be written before another erasure. */
  forget(): void {
    this.#states = new Map();
  }

  /**
   * Reads which block a routine is about: `01 number`, or a range that is exactly a block's.
   *
   * @returns the block, and what follows.
   * @throws UdsFault REFUSED with 0x31 for no such block; MESSAGE_MALFORMED.
   */
  readBlock(option: Uint8Array): { readonly block: number; readonly rest: Uint8Array } {
    if (option[0] === BY_NUMBER) {
      const block = new MessageReader(option, 1).uint(1);
      if (!this.#blocks.has(block)) throw refusal(RESPONSE_CODES.requestOutOfRange);
      return { block, rest: option.subarray(NUMBER_BYTES) };
    }
    const reader = new MessageReader(option);
    const [address, sizeBytes] = readAddressAndSize(reader);
    for (const [block, region] of this.#blocks) {
      if (region.address === address && region.sizeBytes === sizeBytes) {
        return { block, rest: reader.rest() };
      }
    }
    throw refusal(RESPONSE_CODES.requestOutOfRange);
  }

  /** Notes that a block is being erased or has failed: nothing counts until it is erased. */
  spoil(block: number): void {
    this.#states.set(block, SPOILT);
  }

  /** Notes that a block was erased, and what of it may be written. */
  noteErased(block: number, region: MemoryRegion): void {
    const whole = this.#blocks.get(block);
    const isWithin = whole !== undefined && isPart(region, whole);
    if (!isWithin) throw refusal(RESPONSE_CODES.generalProgrammingFailure);
    // Nothing left to write: an ECU that has it all from an earlier time.
    const phase = region.sizeBytes === 0 ? 'loaded' : 'erased';
    this.#states.set(block, { phase, region, nextAddress: region.address });
  }

  /**
   * Finds the block that a download goes to.
   *
   * @throws UdsFault REFUSED with 0x31 for what no block has or takes, 0x70 for what was not erased.
   */
  findTarget({ address, sizeBytes, dataFormat }: DownloadRequest): number {
    const range = { address, sizeBytes };
    for (const [block, whole] of this.#blocks) {
      if (sizeBytes === 0 || !isPart(range, whole)) continue;
      if (!whole.dataFormats.includes(dataFormat)) break;
      const state = this.#states.get(block) ?? SPOILT;
      const isOpen = state.phase === 'erased' || state.phase === 'loaded';
      if (isOpen && isPart(range, state.region) && address >= state.nextAddress) return block;
      throw refusal(RESPONSE_CODES.uploadDownloadNotAccepted);
    }
    throw refusal(RESPONSE_CODES.requestOutOfRange);
  }

  /** Notes that a download begins: what it was to write is not erased any more. */
  noteWriting(block: number, { address, sizeBytes }: MemoryRegion): void {
    const state = this.#states.get(block) ?? SPOILT;
    this.#states.set(block, { ...state, phase: 'erased', nextAddress: address + sizeBytes });
  }

  /** Notes that a download is whole. */
  noteLoaded(block: number): void {
    const state = this.#states.get(block) ?? SPOILT;
    this.#states.set(block, { ...state, phase: 'loaded' });
  }

  /** Checks that a block can be checked. @throws UdsFault REFUSED with 0x24 when nothing whole is in it. */
  checkLoaded(block: number): void {
    const phase = this.#states.get(block)?.phase;
    if (phase !== 'loaded' && phase !== 'checked') {
      throw refusal(RESPONSE_CODES.requestSequenceError);
    }
  }

  /** Notes that the content of a block was found good, or not. */
  noteChecked(block: number, isGood: boolean): void {
    const state = this.#states.get(block) ?? SPOILT;
    this.#states.set(block, isGood ? { ...state, phase: 'checked' } : SPOILT);
  }

  /** Checks that whatever was touched was found good. @throws UdsFault REFUSED with 0x24. */
  checkAllGood(): void {
    for (const { phase } of this.#states.values()) {
      if (phase !== 'checked') throw refusal(RESPONSE_CODES.requestSequenceError);
    }
  }
}

function isPart(part: MemoryRegion, whole: MemoryRegion): boolean {
  return (
    part.address >= whole.address &&
    part.address + part.sizeBytes <= whole.address + whole.sizeBytes
  );
}
