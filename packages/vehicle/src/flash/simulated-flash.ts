/**
 * A NOR flash that is simulated: what a part allows, what it wears, and how it fails. Its power may go
 * inside any operation, which then leaves what physics leaves: a write that stopped half-way through a
 * unit, an erase that stopped at any bit. All of it follows from seeds.
 */
import {
  bytesOfSectors,
  eraseTimeUs,
  type Flash,
  type FlashGeometry,
  flashLength,
  type SectorRange,
  writeTimeUs,
} from './flash.ts';
import { FlashFault, type FlashFaultCode } from './flash-fault.ts';
import { Noise } from './noise.ts';

/** What every operation throws from a cut on. It is no Fault: nobody handles a power cut. */
export class FlashPowerCut extends Error {
  override readonly name = 'FlashPowerCut';
}

/** When the power goes, and what that leaves. */
export interface PowerFailure {
  /** In which write or erase from now on, counted from 1. */
  readonly operation: number;
  /** `before`: nothing of it happened. `torn`: some of it. `after`: all of it, and nobody was told. */
  readonly kind: 'before' | 'torn' | 'after';
  /** Of the noise. */
  readonly seed: number;
  /** The unit that a write tore reads otherwise each time until it is erased; so does a real one. */
  readonly isMarginal?: boolean | undefined;
}

/** Cells that fail. */
export interface FailingRegion {
  readonly startBytes: number;
  readonly lengthBytes: number;
  readonly operation: 'write' | 'erase';
  /** How often it fails, from 0 to 1. */
  readonly rate: number;
  /** The part does not notice. */
  readonly isSilent: boolean;
}

/** Hears what changes in cells and counters: a file, so that an ECU outlives its process. */
export interface FlashMirror {
  content(offsetBytes: number, bytes: Uint8Array): void;
  wear(sector: number, cycles: number): void;
}

/** How to make one. */
export interface SimulatedFlashOptions {
  readonly geometry: FlashGeometry;
  /** Sectors that the part protects: the boot loader's. */
  readonly protectedSectors?: SectorRange | undefined;
  /** What it holds; erased when left out. */
  readonly content?: Uint8Array | undefined;
  /** Erasures of each sector so far. */
  readonly wear?: readonly number[] | undefined;
  readonly mirror?: FlashMirror | undefined;
  readonly seed?: number | undefined;
}

/** See the head of the file. */
export class SimulatedFlash implements Flash {
  readonly geometry: FlashGeometry;
  readonly #options: SimulatedFlashOptions;
  readonly #content: Uint8Array;
  /** One for each unit that must not be written before it is erased. */
  readonly #used: Uint8Array;
  readonly #starts: readonly number[];
  readonly #wear: number[];
  readonly #noise: Noise;
  /** What a torn unit was about to become, by its number. */
  readonly #marginal = new Map<number, Uint8Array>();
  #failing: readonly FailingRegion[] = [];
  #flipRate = 0;
  #failure: PowerFailure | undefined;
  #operationsLeft = Infinity;
  #isOn = true;
  #operations = 0;
  #busyUs = 0;

  constructor(options: SimulatedFlashOptions) {
    const { geometry, content, wear, seed = 0 } = options;
    this.#options = options;
    this.geometry = geometry;
    const lengthBytes = flashLength(geometry);
    this.#content = new Uint8Array(lengthBytes).fill(geometry.erasedByte);
    if (content !== undefined) this.#content.set(content);
    this.#used = new Uint8Array(lengthBytes / geometry.writeUnitBytes);
    if (content !== undefined) this.#markUsed();
    this.#starts = startsOf(geometry.sectors);
    this.#wear = geometry.sectors.map((_, sector) => wear?.[sector] ?? 0);
    this.#noise = new Noise(seed);
  }

  /** Writes and erasures so far, those that the power left included. */
  get operations(): number {
    return this.#operations;
  }

  /** Whether it has power. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** How long a real part would have been busy. */
  get busyUs(): number {
    return this.#busyUs;
  }

  /** How often a sector was erased. */
  wearOf(sector: number): number {
    return this.#wear[sector] ?? 0;
  }

  /** Whether a planned end of the power is still to come. */
  get isFailurePlanned(): boolean {
    return this.#failure !== undefined;
  }

  /** Plans the end of the power; without an argument it stays on. */
  failPower(failure?: PowerFailure): void {
    this.#failure = failure;
    this.#operationsLeft = failure?.operation ?? Infinity;
  }

  /** Gives it power again. */
  powerOn(): void {
    this.#isOn = true;
  }

  /** Ends the power between two operations. */
  cutPower(): void {
    this.#isOn = false;
  }

  /** Lets cells fail from now on. */
  failRegions(regions: readonly FailingRegion[]): void {
    this.#failing = regions;
  }

  /** Lets reads be wrong in one bit now and then. @param rate - of reads, from 0 to 1. */
  flipReads(rate: number): void {
    this.#flipRate = rate;
  }

  /** Changes a bit for good, as a cell that loses its charge does. */
  flipBit(offsetBytes: number, bit: number): void {
    this.#content[offsetBytes] = (this.#content[offsetBytes] ?? 0) ^ (1 << bit);
    this.#tell(offsetBytes, 1);
  }

  /** Looks at the cells, with or without power. */
  peek(offsetBytes: number, lengthBytes: number): Uint8Array {
    return this.#content.slice(offsetBytes, offsetBytes + lengthBytes);
  }

  /** Another one in the same condition, without failures. */
  copy(): SimulatedFlash {
    const { mirror: _, content: __, ...options } = this.#options;
    const other = new SimulatedFlash({ ...options, wear: [...this.#wear] });
    other.#content.set(this.#content);
    other.#used.set(this.#used);
    for (const [unit, bytes] of this.#marginal) other.#marginal.set(unit, bytes);
    return other;
  }

  async read(offsetBytes: number, into: Uint8Array): Promise<void> {
    await Promise.resolve();
    this.#checkPower();
    this.#checkRange(offsetBytes, into.length);
    into.set(this.#content.subarray(offsetBytes, offsetBytes + into.length));
    if (this.#marginal.size > 0) this.#waver(offsetBytes, into);
    if (this.#flipRate > 0 && into.length > 0 && this.#noise.happens(this.#flipRate)) {
      const at = this.#noise.below(into.length);
      into[at] = (into[at] ?? 0) ^ (1 << this.#noise.below(8));
    }
  }

  async write(offsetBytes: number, bytes: Uint8Array): Promise<void> {
    await Promise.resolve();
    this.#checkPower();
    this.#checkRange(offsetBytes, bytes.length);
    this.#checkWritable(offsetBytes, bytes.length);
    const cut = this.#step();
    if (cut?.kind === 'before') this.#end();
    this.#busyUs += writeTimeUs(this.geometry, bytes.length);
    if (cut?.kind === 'torn') {
      this.#tear(offsetBytes, bytes, cut);
      this.#end();
    }
    const failing = this.#findFailing('write', offsetBytes, bytes.length);
    this.#program(offsetBytes, failing === undefined ? bytes : this.#corrupted(bytes));
    if (cut !== undefined) this.#end();
    if (failing?.isSilent === false) {
      throw misuse('WRITE_FAILED', `write ${bytes.length} bytes at ${offsetBytes}: it failed`);
    }
  }

  async erase(sector: number): Promise<void> {
    await Promise.resolve();
    this.#checkPower();
    const { startBytes, lengthBytes } = bytesOfSectors(this.geometry, { first: sector, count: 1 });
    this.#checkUnprotected(sector, sector);
    const cut = this.#step();
    if (cut?.kind === 'before') this.#end();
    this.#busyUs += eraseTimeUs(this.geometry, sector);
    this.#wear[sector] = this.wearOf(sector) + 1;
    this.#options.mirror?.wear(sector, this.wearOf(sector));
    const isWorn = this.wearOf(sector) > this.geometry.enduranceCycles;
    const failing = this.#findFailing('erase', startBytes, lengthBytes);
    if (cut?.kind === 'torn') {
      this.#halfErase(startBytes, lengthBytes, new Noise(cut.seed, sector));
      this.#end();
    }
    if (isWorn || failing !== undefined) {
      this.#halfErase(startBytes, lengthBytes, this.#noise);
      if (isWorn || failing?.isSilent === false) {
        throw misuse('ERASE_FAILED', `erase sector ${sector}: it failed`);
      }
      return;
    }
    this.#content.fill(this.geometry.erasedByte, startBytes, startBytes + lengthBytes);
    this.#setUsed(startBytes, lengthBytes, 0);
    this.#tell(startBytes, lengthBytes);
    if (cut !== undefined) this.#end();
  }

  #step(): PowerFailure | undefined {
    this.#operations += 1;
    this.#operationsLeft -= 1;
    if (this.#operationsLeft !== 0) return undefined;
    const failure = this.#failure;
    this.failPower();
    return failure;
  }

  #end(): never {
    this.#isOn = false;
    throw new FlashPowerCut('the power is off');
  }

  #checkPower(): void {
    if (!this.#isOn) throw new FlashPowerCut('the power is off');
  }

  #checkRange(offsetBytes: number, lengthBytes: number): void {
    const isWithin = Number.isSafeInteger(offsetBytes) && offsetBytes >= 0;
    if (!isWithin || offsetBytes + lengthBytes > this.#content.length) {
      throw misuse('OUT_OF_RANGE', `reach ${lengthBytes} bytes at ${offsetBytes}: behind the end`);
    }
  }

  #checkWritable(offsetBytes: number, lengthBytes: number): void {
    const { writeUnitBytes } = this.geometry;
    if (offsetBytes % writeUnitBytes !== 0 || lengthBytes % writeUnitBytes !== 0) {
      throw misuse(
        'MISALIGNED',
        `write ${lengthBytes} bytes at ${offsetBytes}: not whole units of ${writeUnitBytes}`,
      );
    }
    if (lengthBytes === 0) return;
    const sectorOf = (offset: number): number => this.#starts.findLastIndex((at) => at <= offset);
    this.#checkUnprotected(sectorOf(offsetBytes), sectorOf(offsetBytes + lengthBytes - 1));
    const first = offsetBytes / writeUnitBytes;
    const used = this.#used.subarray(first, first + lengthBytes / writeUnitBytes).indexOf(1);
    if (used !== -1) {
      const at = (first + used) * writeUnitBytes;
      throw misuse('NOT_ERASED', `write at ${at}: it was not erased since the last write`);
    }
  }

  #checkUnprotected(first: number, last: number): void {
    const { protectedSectors } = this.#options;
    if (protectedSectors === undefined) return;
    const end = protectedSectors.first + protectedSectors.count;
    if (first < end && last >= protectedSectors.first) {
      throw misuse('PROTECTED', `change sector ${first}: the part protects it`);
    }
  }

  #program(offsetBytes: number, bytes: Uint8Array): void {
    this.#content.set(bytes, offsetBytes);
    this.#setUsed(offsetBytes, bytes.length, 1);
    this.#tell(offsetBytes, bytes.length);
  }

  /** The first units are written, the next one is written in part. */
  #tear(offsetBytes: number, bytes: Uint8Array, { seed, isMarginal }: PowerFailure): void {
    const { writeUnitBytes } = this.geometry;
    const noise = new Noise(seed, offsetBytes);
    const whole = noise.below(bytes.length / writeUnitBytes) * writeUnitBytes;
    const torn = bytes.slice(whole, whole + writeUnitBytes);
    const half = Uint8Array.from(torn, (byte) => this.#halfProgrammed(byte, noise));
    this.#program(offsetBytes, bytes.subarray(0, whole));
    this.#program(offsetBytes + whole, half);
    if (isMarginal === true) this.#marginal.set((offsetBytes + whole) / writeUnitBytes, torn);
  }

  /** Some of the bits that differ from erased ones have changed. */
  #halfProgrammed(byte: number, noise: Noise): number {
    const { erasedByte } = this.geometry;
    return erasedByte ^ ((byte ^ erasedByte) & noise.word() & 0xff);
  }

  /** Each bit is what it was or erased already; nothing here may be written before an erase. */
  #halfErase(startBytes: number, lengthBytes: number, noise: Noise): void {
    const { erasedByte } = this.geometry;
    // From hardly begun to nearly done: a bit is left over with one of these chances.
    const rounds = noise.below(4);
    for (let at = startBytes; at < startBytes + lengthBytes; at += 1) {
      let left = 0xff;
      for (let round = 0; round < rounds; round += 1) left &= noise.word() & 0xff;
      this.#content[at] = erasedByte ^ (((this.#content[at] ?? 0) ^ erasedByte) & left);
    }
    this.#setUsed(startBytes, lengthBytes, 1);
    this.#tell(startBytes, lengthBytes);
  }

  #corrupted(bytes: Uint8Array): Uint8Array {
    const wrong = bytes.slice();
    const at = this.#noise.below(bytes.length);
    wrong[at] = (wrong[at] ?? 0) ^ (1 << this.#noise.below(8));
    return wrong;
  }

  /** Bits that a torn unit has in doubt read as they like. */
  #waver(offsetBytes: number, into: Uint8Array): void {
    const { writeUnitBytes } = this.geometry;
    for (const [unit, meant] of this.#marginal) {
      for (const [index, byte] of meant.entries()) {
        const at = unit * writeUnitBytes + index - offsetBytes;
        const is = into[at];
        if (is === undefined) continue;
        into[at] = is ^ ((is ^ byte) & this.#noise.word() & 0xff);
      }
    }
  }

  #findFailing(
    operation: FailingRegion['operation'],
    startBytes: number,
    lengthBytes: number,
  ): FailingRegion | undefined {
    return this.#failing.find(
      (region) =>
        region.operation === operation &&
        startBytes < region.startBytes + region.lengthBytes &&
        startBytes + lengthBytes > region.startBytes &&
        this.#noise.happens(region.rate),
    );
  }

  #setUsed(offsetBytes: number, lengthBytes: number, value: 0 | 1): void {
    const { writeUnitBytes } = this.geometry;
    const first = offsetBytes / writeUnitBytes;
    const end = first + lengthBytes / writeUnitBytes;
    this.#used.fill(value, first, end);
    for (const unit of this.#marginal.keys()) {
      if (unit >= first && unit < end) this.#marginal.delete(unit);
    }
  }

  #markUsed(): void {
    const { writeUnitBytes, erasedByte } = this.geometry;
    for (const [index, byte] of this.#content.entries()) {
      if (byte !== erasedByte) this.#used[Math.floor(index / writeUnitBytes)] = 1;
    }
  }

  #tell(offsetBytes: number, lengthBytes: number): void {
    const { mirror } = this.#options;
    mirror?.content(offsetBytes, this.#content.subarray(offsetBytes, offsetBytes + lengthBytes));
  }
}

function startsOf(sectors: readonly number[]): readonly number[] {
  let next = 0;
  return sectors.map((lengthBytes) => {
    const start = next;
    next += lengthBytes;
    return start;
  });
}

function misuse(code: FlashFaultCode, what: string): FlashFault {
  return new FlashFault(code, `Cannot ${what}`);
}
