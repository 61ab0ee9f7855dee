/** The files of a Secondary: what comes in one piece, what is read, and the image. */
import { concatBytes } from '@immota/base';
import type { AccessRule, FileRequest } from '@immota/bus';
import { SECONDARY_FILES } from './secondary-identifiers.ts';
import { refuse } from './uds-application.ts';
import type { FilePort } from './uds-ports.ts';

/** What is behind the files. */
export interface SecondaryFilesOptions {
  readonly access: AccessRule;
  /** Takes a whole file. */
  readonly receive: Readonly<Record<'metadata' | 'time', (bytes: Uint8Array) => Promise<void>>>;
  readonly receiveMaxBytes: Readonly<Record<'metadata' | 'time', number>>;
  readonly documents: Readonly<Record<'info' | 'report', () => Promise<Uint8Array>>>;
  readonly image: {
    /** Undefined when none was announced. */
    readonly lengthBytes: () => number | undefined;
    /** @returns from where on the ECU wants it. */
    readonly begin: () => Promise<number>;
    readonly write: (offsetBytes: number, data: Uint8Array) => Promise<void>;
    readonly finish: () => Promise<void>;
    readonly abort: () => Promise<void>;
  };
}

type Opened = Awaited<ReturnType<FilePort['open']>>;

const NOTHING: Uint8Array = new Uint8Array();

/** Makes the port. */
export function createSecondaryFiles(options: SecondaryFilesOptions): FilePort {
  return new SecondaryFiles(options);
}

class SecondaryFiles implements FilePort {
  readonly access: AccessRule;
  readonly #options: SecondaryFilesOptions;
  #target: 'image' | 'metadata' | 'time' | undefined;
  #parts: Uint8Array[] = [];
  #document: Uint8Array = NOTHING;

  constructor(options: SecondaryFilesOptions) {
    this.#options = options;
    this.access = options.access;
  }

  async open(request: FileRequest): Promise<Opened> {
    const { mode, path } = request;
    this.#parts = [];
    this.#target = undefined;
    if (mode === 'read') {
      this.#document = await this.#read(path);
      return { sizeBytes: this.#document.length, positionBytes: 0 };
    }
    if (mode === 'add') return this.#openWhole(request);
    if ((mode === 'replace' || mode === 'resume') && path === SECONDARY_FILES.image) {
      return await this.#openImage(request);
    }
    return refuse('requestOutOfRange');
  }

  async write(offsetBytes: number, data: Uint8Array): Promise<void> {
    if (this.#target === 'image') await this.#options.image.write(offsetBytes, data);
    // The message that brought the bytes is not ours to keep.
    else this.#parts.push(data.slice());
  }

  read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    return Promise.resolve(this.#document.subarray(offsetBytes, offsetBytes + lengthBytes));
  }

  async finish(): Promise<Uint8Array> {
    const target = this.#target;
    const bytes = concatBytes(this.#parts);
    this.#parts = [];
    this.#target = undefined;
    if (target === 'image') await this.#options.image.finish();
    else if (target !== undefined) await this.#options.receive[target](bytes);
    return NOTHING;
  }

  async abort(): Promise<void> {
    const target = this.#target;
    this.#parts = [];
    this.#target = undefined;
    if (target === 'image') await this.#options.image.abort();
  }

  #openWhole({ path, sizeBytes }: FileRequest): Opened {
    const target = WHOLE.get(path);
    if (target === undefined || sizeBytes > this.#options.receiveMaxBytes[target]) {
      return refuse('requestOutOfRange');
    }
    this.#target = target;
    return { sizeBytes: 0, positionBytes: 0 };
  }

  async #openImage({ mode, sizeBytes }: FileRequest): Promise<Opened> {
    const { image } = this.#options;
    const lengthBytes = image.lengthBytes();
    if (lengthBytes === undefined) return refuse('conditionsNotCorrect');
    if (sizeBytes !== lengthBytes) return refuse('requestOutOfRange');
    const positionBytes = await image.begin();
    this.#target = 'image';
    return { sizeBytes: 0, positionBytes: mode === 'resume' ? positionBytes : 0 };
  }

  async #read(path: string): Promise<Uint8Array> {
    const { documents } = this.#options;
    if (path === SECONDARY_FILES.info) return await documents.info();
    if (path === SECONDARY_FILES.report) return await documents.report();
    return refuse('requestOutOfRange');
  }
}

const WHOLE: ReadonlyMap<string, 'metadata' | 'time'> = new Map([
  [SECONDARY_FILES.metadata, 'metadata'],
  [SECONDARY_FILES.time, 'time'],
]);
