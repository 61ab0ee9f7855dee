/** Makes of an ECU's ports what the server machine needs: its tables, and someone who does the work. */
import {
  encodeDataRecord,
  encodeDtcCount,
  encodeDtcList,
  refusalOf,
  RESPONSE_CODES,
  uintBytes,
  type DtcQuery,
  type UdsContext,
  type UdsDescription,
  type UdsOperation,
  type UdsResult,
} from '@immota/bus';
import { assert, concatBytes, unreachable } from '@immota/base';
import { describePorts } from './describe-ports.ts';
import type { DtcPort, TransferPort, UdsPorts } from './uds-ports.ts';

/** What a server serves. */
export interface UdsApplication {
  readonly description: UdsDescription;
  readonly failedAttempts: number;
  keepAttempts(failedAttempts: number): Promise<void>;
  /** Does it. @throws UdsFault REFUSED with the code for the tester. */
  perform(operation: UdsOperation, context: UdsContext): Promise<UdsResult>;
}

/** Makes it. What an ECU has no port for is not supported. */
export function createUdsApplication(ports: UdsPorts): UdsApplication {
  return new Application(ports);
}

const NOTHING: Uint8Array = new Uint8Array();

class Application implements UdsApplication {
  readonly description: UdsDescription;
  readonly #ports: UdsPorts;
  #open: TransferPort | undefined;

  constructor(ports: UdsPorts) {
    this.#ports = ports;
    this.description = describePorts(ports);
  }

  get failedAttempts(): number {
    return this.#ports.keys?.failedAttempts ?? 0;
  }

  async keepAttempts(failedAttempts: number): Promise<void> {
    await this.#ports.keys?.keepAttempts(failedAttempts);
  }

  async perform(operation: UdsOperation, context: UdsContext): Promise<UdsResult> {
    switch (operation.kind) {
      case 'enterSession':
      case 'prepareReset':
      case 'reset':
      case 'clearDtcs':
      case 'setDtcs':
      case 'controlCommunication':
        await this.#control(operation);
        return record();
      case 'readData':
        return await this.#readData(operation.identifiers, context);
      case 'writeData': {
        const port = this.#ports.data.get(operation.identifier)?.write;
        await there(port).perform(operation.record, context);
        return record();
      }
      case 'readDtcs':
        return record(...(await readDtcs(there(this.#ports.dtcs), operation.query)));
      case 'routine':
        return record(await this.#runRoutine(operation, context));
      case 'makeSeed':
      case 'checkKey':
      case 'verifyCertificate':
      case 'verifyProof':
        return await this.#judge(operation);
      case 'eraseBlock':
      case 'checkBlock':
      case 'openDownload':
      case 'openFile':
      case 'writeTransfer':
      case 'readTransfer':
      case 'finishTransfer':
        return await this.#program(operation, context);
      default:
        return unreachable(operation);
    }
  }

  async #control(
    operation: Extract<
      UdsOperation,
      {
        readonly kind:
          | 'enterSession'
          | 'prepareReset'
          | 'reset'
          | 'clearDtcs'
          | 'setDtcs'
          | 'controlCommunication';
      }
    >,
  ): Promise<void> {
    const { dtcs, resets, communication, enterSession } = this.#ports;
    switch (operation.kind) {
      case 'enterSession':
        await enterSession?.(operation.session, operation.cause);
        await this.#abort();
        // {14229-1:2020 10.5.1} {14229-1:2020 10.8.1}: both end with the session.
        if (operation.session === 'default') await this.#restore();
        break;
      case 'prepareReset':
        await there(resets).prepare(operation.reset);
        break;
      case 'reset':
        await this.#abort();
        await this.#restore();
        await there(resets).perform(operation.reset);
        break;
      case 'clearDtcs':
        await there(dtcs).clear(operation.group);
        break;
      case 'setDtcs':
        await there(dtcs).setEnabled(operation.isOn);
        break;
      case 'controlCommunication':
        await there(communication)(operation.control, operation.communicationType);
        break;
      default:
        unreachable(operation);
    }
  }

  async #abort(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.abort();
  }

  async #restore(): Promise<void> {
    await this.#ports.dtcs?.setEnabled(true);
    await this.#ports.communication?.('enableRxAndTx', ALL_COMMUNICATION);
  }

  async #readData(identifiers: readonly number[], context: UdsContext): Promise<UdsResult> {
    const parts: Uint8Array[] = [];
    for (const identifier of identifiers) {
      const port = there(this.#ports.data.get(identifier)?.read);
      parts.push(...encodeDataRecord(identifier, await port.perform(context)));
    }
    return record(...parts);
  }

  async #runRoutine(
    operation: Extract<UdsOperation, { readonly kind: 'routine' }>,
    context: UdsContext,
  ): Promise<Uint8Array> {
    const { routine, control, option } = operation;
    const port = this.#ports.routines?.get(routine);
    if (port !== undefined) return await port.perform(control, option, context);
    return await there(this.#ports.memory).checkDependencies(option);
  }

  async #judge(
    operation: Extract<
      UdsOperation,
      { readonly kind: 'makeSeed' | 'checkKey' | 'verifyCertificate' | 'verifyProof' }
    >,
  ): Promise<UdsResult> {
    const { keys, authentication } = this.#ports;
    switch (operation.kind) {
      case 'makeSeed':
        return record(await there(keys).makeSeed(operation.level, operation.record));
      case 'checkKey': {
        const { level, seed, key } = operation;
        return { kind: 'key', isValid: await there(keys).isKey(level, seed, key) };
      }
      case 'verifyCertificate': {
        const answer = await there(authentication).verifyCertificate(operation.request);
        return { kind: 'challenge', answer };
      }
      case 'verifyProof':
        return { kind: 'role', ...(await there(authentication).verifyProof(operation)) };
      default:
        return unreachable(operation);
    }
  }

  async #program(
    operation: Extract<
      UdsOperation,
      {
        readonly kind:
          | 'eraseBlock'
          | 'checkBlock'
          | 'openDownload'
          | 'openFile'
          | 'writeTransfer'
          | 'readTransfer'
          | 'finishTransfer';
      }
    >,
    context: UdsContext,
  ): Promise<UdsResult> {
    const { memory, files } = this.#ports;
    switch (operation.kind) {
      case 'eraseBlock':
        return { kind: 'erased', ...(await there(memory).erase(operation.block)) };
      case 'checkBlock': {
        const checked = await there(memory).check(operation.block, operation.option);
        return { kind: 'checked', ...checked };
      }
      case 'openDownload':
        await this.#abort();
        await there(memory).open(operation.block, operation.request);
        this.#open = memory;
        return record();
      case 'openFile': {
        await this.#abort();
        const opened = await there(files).open(operation.request, context);
        this.#open = files;
        return { kind: 'opened', ...opened };
      }
      case 'writeTransfer':
        await there(this.#open).write(operation.offsetBytes, operation.data);
        return record();
      case 'readTransfer':
        return record(await there(files).read(operation.offsetBytes, operation.lengthBytes));
      case 'finishTransfer': {
        const open = there(this.#open);
        this.#open = undefined;
        return record(await open.finish(operation.record));
      }
      default:
        return unreachable(operation);
    }
  }
}

/** Ordinary and network management messages. */
const ALL_COMMUNICATION = 3;

async function readDtcs(port: DtcPort, query: DtcQuery): Promise<readonly Uint8Array[]> {
  const { statusMask } = port;
  switch (query.kind) {
    case 'count':
    case 'list': {
      const found = (await port.list()).filter(({ status }) => (status & query.statusMask) !== 0);
      return query.kind === 'count'
        ? encodeDtcCount(statusMask, found.length)
        : encodeDtcList(statusMask, found);
    }
    case 'supported':
      return encodeDtcList(statusMask, await port.supported());
    case 'extendedData': {
      const { status, records } = await port.extendedData(query.dtc, query.record);
      return [uintBytes(query.dtc, 3), uintBytes(status, 1), records];
    }
    default:
      return unreachable(query);
  }
}

function record(...parts: readonly Uint8Array[]): UdsResult {
  return { kind: 'record', record: parts.length === 0 ? NOTHING : concatBytes(parts) };
}

/** The tables are made from the ports, so that nothing gets here without one. */
function there<Port>(port: Port | undefined): Port {
  assert(port !== undefined, 'what the tables offer has a port');
  return port;
}

/** Refuses with a code by its name. */
export function refuse(name: keyof typeof RESPONSE_CODES): never {
  throw refusalOf(RESPONSE_CODES[name]);
}
