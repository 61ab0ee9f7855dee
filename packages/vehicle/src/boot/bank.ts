/** One bank: a place for an image where it runs, and the seal that makes it bootable. */
import { utf8 } from '@immota/base';
import { createHashTap } from '@immota/image';
import { checkMeasurement, type HardwareIdentifier, UptaneFault } from '@immota/uptane';
import { measurementOf } from '../download/partial-file.ts';
import {
  type ByteRange,
  bytesOfSectors,
  type Flash,
  padToUnit,
  roundToUnit,
} from '../flash/flash.ts';
import { FlashFault } from '../flash/flash-fault.ts';
import type { BankLayout } from '../flash/layout.ts';
import type { SlotImage } from '../slots/image-slots.ts';
import type { ImageSealer } from './image-sealer.ts';
import { packImage, unpackImage } from './image-statement.ts';
import { READ_ATTEMPTS, READ_BYTES, SEAL_BYTES } from './limits.ts';
import { Packer, tryUnpack } from './pack.ts';

/** What a bank needs to be more than bytes. */
export interface BankSetup {
  readonly flash: Flash;
  readonly sealer: ImageSealer;
  readonly hardwareIdentifier: HardwareIdentifier;
}

const MAGIC = utf8('IMBS');
/** Magic, and the lengths of the statement and the signature. */
const SEAL_OVERHEAD_BYTES = 8;

/** See the head of the file. */
export class Bank {
  readonly #setup: BankSetup;
  readonly #flash: Flash;
  readonly #layout: BankLayout;
  readonly #image: ByteRange;
  readonly #seal: ByteRange;

  constructor(setup: BankSetup, layout: BankLayout) {
    this.#setup = setup;
    this.#flash = setup.flash;
    this.#layout = layout;
    this.#image = bytesOfSectors(setup.flash.geometry, layout.image);
    this.#seal = bytesOfSectors(setup.flash.geometry, layout.seal);
  }

  /** Checks that an image fits. @throws FlashFault NO_ROOM. */
  checkRoom(image: SlotImage): void {
    const { flash, sealer } = this.#setup;
    const partsBytes = this.#statementOf(image).length + sealer.sealMaxBytes;
    const sealBytes = roundToUnit(flash.geometry, SEAL_OVERHEAD_BYTES + partsBytes);
    const isTooLong = image.lengthBytes > this.#image.lengthBytes;
    if (isTooLong || sealBytes > Math.min(this.#seal.lengthBytes, SEAL_BYTES)) {
      throw new FlashFault('NO_ROOM', `Cannot write "${image.name}": the bank is too small`);
    }
  }

  /** Makes whatever is in the bank unbootable, before the first byte of it changes. */
  async breakSeal(): Promise<void> {
    await this.#eraseSeal();
  }

  /** Where the sector begins that holds a position. */
  sectorStart(position: number): number {
    return this.#sectorAt(position).startBytes;
  }

  /** Where the sector ends that holds a position. */
  sectorEnd(position: number): number {
    const { startBytes, lengthBytes } = this.#sectorAt(position);
    return startBytes + lengthBytes;
  }

  /** Erases the sector that begins at a position. */
  async eraseAt(position: number): Promise<void> {
    await this.#flash.erase(this.#sectorAt(position).sector);
  }

  /** Writes bytes of the image and reads them back. @throws FlashFault READ_BACK. */
  async write(position: number, bytes: Uint8Array): Promise<void> {
    const padded = padToUnit(this.#flash.geometry, bytes);
    await this.#writeChecked(this.#image.startBytes + position, padded);
  }

  /** Reads from a position of the bank on. @throws FlashFault as `Flash.read`. */
  async readAt(offsetBytes: number, into: Uint8Array): Promise<void> {
    await this.#flash.read(this.#image.startBytes + offsetBytes, into);
  }

  /** Reads bytes of the image; a part is valid until the next one is asked for. */
  async *read(lengthBytes: number, fromBytes = 0): AsyncGenerator<Uint8Array, void, undefined> {
    const end = Math.min(lengthBytes, this.#image.lengthBytes);
    const buffer = new Uint8Array(READ_BYTES);
    for (let position = fromBytes; position < end;) {
      const part = buffer.subarray(0, Math.min(READ_BYTES, end - position));
      await this.#flash.read(this.#image.startBytes + position, part);
      position += part.length;
      yield part;
    }
  }

  /** Seals the image: it is bootable when this fulfils. */
  async seal(image: SlotImage): Promise<void> {
    const statement = this.#statementOf(image);
    const signature = await this.#setup.sealer.seal(statement);
    const packed = new Packer().raw(MAGIC).block(statement).block(signature).packed();
    const bytes = padToUnit(this.#flash.geometry, packed);
    // Again: an attempt before this one may have left half a seal.
    await this.#eraseSeal();
    await this.#writeChecked(this.#seal.startBytes, bytes);
  }

  /** Finds which image was sealed here, for this hardware, by this ECU's own key. */
  async findSealed(): Promise<SlotImage | undefined> {
    const bytes = new Uint8Array(Math.min(SEAL_BYTES, this.#seal.lengthBytes));
    for (let attempt = 0; attempt < READ_ATTEMPTS; attempt += 1) {
      await this.#flash.read(this.#seal.startBytes, bytes);
      const image = this.#openSeal(bytes);
      if (image !== undefined) return image;
    }
    return undefined;
  }

  /** Tells whether the bytes in the bank are an image's: its length and every listed hash {uptane I5}. */
  async isWhole(image: SlotImage): Promise<boolean> {
    for (let attempt = 0; attempt < READ_ATTEMPTS; attempt += 1) {
      try {
        await this.checkBytes(image);
        return true;
      } catch (error) {
        if (!(error instanceof UptaneFault)) throw error;
      }
    }
    return false;
  }

  /** Checks the bytes in the bank. @throws UptaneFault IMAGE_LENGTH or IMAGE_HASH. */
  async checkBytes(image: SlotImage): Promise<void> {
    const tap = createHashTap({ sha512: image.hashes.has('sha512') });
    for await (const part of this.read(image.lengthBytes)) tap.update(part);
    checkMeasurement(image, measurementOf(tap));
  }

  #statementOf(image: SlotImage): Uint8Array {
    const packer = new Packer().block(utf8(this.#setup.hardwareIdentifier));
    packImage(packer, image);
    return packer.packed();
  }

  #openSeal(bytes: Uint8Array): SlotImage | undefined {
    const [magic0, magic1, magic2, magic3] = bytes;
    const isSeal = [magic0, magic1, magic2, magic3].every((byte, index) => byte === MAGIC[index]);
    if (!isSeal) return undefined;
    const lengths = new DataView(bytes.buffer, bytes.byteOffset);
    const statementBytes = lengths.getUint16(MAGIC.length);
    const second = MAGIC.length + 2 + statementBytes;
    if (second + 2 > bytes.length) return undefined;
    const end = second + 2 + lengths.getUint16(second);
    const parts = tryUnpack(bytes.subarray(MAGIC.length, end), (unpacker) => {
      const statement = unpacker.block();
      return { statement, signature: unpacker.block() };
    });
    if (parts === undefined) return undefined;
    // The signature first: what nobody vouches for is not even read.
    if (!this.#setup.sealer.isSealed(parts.statement, parts.signature)) return undefined;
    const hardware = utf8(this.#setup.hardwareIdentifier);
    return tryUnpack(parts.statement, (unpacker) => {
      const isOurs = Buffer.compare(unpacker.block(), hardware) === 0;
      const image = unpackImage(unpacker);
      return isOurs ? image : undefined;
    });
  }

  async #eraseSeal(): Promise<void> {
    const { first, count } = this.#layout.seal;
    for (let index = 0; index < count; index += 1) await this.#flash.erase(first + index);
  }

  async #writeChecked(offsetBytes: number, bytes: Uint8Array): Promise<void> {
    await this.#flash.write(offsetBytes, bytes);
    const is = new Uint8Array(bytes.length);
    for (let attempt = 0; attempt < READ_ATTEMPTS; attempt += 1) {
      await this.#flash.read(offsetBytes, is);
      if (Buffer.compare(is, bytes) === 0) return;
    }
    throw new FlashFault('READ_BACK', `Cannot keep ${bytes.length} bytes: they read otherwise`);
  }

  #sectorAt(position: number): ByteRange & { readonly sector: number } {
    const { first, count } = this.#layout.image;
    let startBytes = 0;
    for (let sector = first; sector < first + count; sector += 1) {
      const lengthBytes = this.#flash.geometry.sectors[sector] ?? 0;
      if (position < startBytes + lengthBytes) return { sector, startBytes, lengthBytes };
      startBytes += lengthBytes;
    }
    throw new FlashFault('OUT_OF_RANGE', `Cannot find position ${position}: behind the bank`);
  }
}
