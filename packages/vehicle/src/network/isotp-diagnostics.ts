/** Diagnostics over ISO-TP: the ends of a tester and of an ECU on a CAN bus. */
import {
  type CanBus,
  type IsoTpAddress,
  IsoTpFault,
  isoTpParameters,
  type IsoTpSettings,
  mirrorAddress,
} from '@immota/bus';
import type {
  DiagnosticChannel,
  DiagnosticEndpoint,
  DiagnosticRequest,
} from '../diagnostics/channel.ts';
import type { Timer } from '../ports.ts';
import { IsoTpPort } from './isotp-port.ts';
import { LINKS_MAX } from './limits.ts';

/** What both ends stand on. The bus stays open when they close. */
export interface IsoTpOptions {
  readonly bus: CanBus;
  /** The bus's own time where it has one: `CanHub.timer`. */
  readonly timer: Timer;
  readonly settings?: IsoTpSettings | undefined;
  /** Hears of messages of the peer that were lost, and why. */
  readonly onLost?: ((fault: IsoTpFault, address: IsoTpAddress) => void) | undefined;
}

/** A tester's place on a bus: one link for each ECU, however many channels use it. */
export interface IsoTpTester {
  /**
   * Opens the way to one ECU.
   *
   * @param address - as the tester sees it.
   * @throws IsoTpFault BUSY beyond the limit of links.
   */
  channelTo(address: IsoTpAddress): DiagnosticChannel;
  /**
   * Opens the way to a group: what is sent goes to all at once in one frame, and what any of them
   * answers is heard.
   *
   * @param members - the addresses of those that may answer; the first names the group.
   * @throws IsoTpFault PARAMETER when the first has no functional address or there is none.
   */
  channelToGroup(members: readonly [IsoTpAddress, ...IsoTpAddress[]]): DiagnosticChannel;
  close(): void;
}

/** What an ECU's end needs beside. */
export interface IsoTpEndpointOptions extends IsoTpOptions {
  /** Each tester that may ask, as the tester sees it. */
  readonly testers: readonly IsoTpAddress[];
}

/** Opens a tester's place on a bus. */
export function openIsoTpTester(options: IsoTpOptions): IsoTpTester {
  const { bus, timer, settings, onLost } = options;
  const parameters = isoTpParameters(settings);
  const ports = new Map<string, IsoTpPort>();
  const portFor = (address: IsoTpAddress): IsoTpPort => {
    const key = keyOf(address);
    const known = ports.get(key);
    if (known !== undefined) return known;
    if (ports.size >= LINKS_MAX) {
      throw new IsoTpFault('BUSY', `Cannot open link: ${LINKS_MAX} are open`);
    }
    const port = new IsoTpPort({ bus, timer, address, parameters });
    port.listen({ message: ignore, lost: (fault) => onLost?.(fault, address) });
    ports.set(key, port);
    return port;
  };
  return {
    channelTo: (address) =>
      createChannel([portFor(address)], parameters.messageMaxBytes, (port, message) =>
        port.send(message),
      ),
    channelToGroup: (members) => {
      const [first] = members;
      if (first.functionalTx === undefined) {
        throw new IsoTpFault('PARAMETER', 'Cannot ask group: no functional address');
      }
      const maxBytes = parameters.frameBytes - (parameters.frameBytes > 8 ? 2 : 1);
      const prefixBytes = first.functionalTx.prefix === undefined ? 0 : 1;
      return createChannel(members.map(portFor), maxBytes - prefixBytes, (port, message) =>
        port.send(message, true),
      );
    },
    close: () => {
      for (const port of ports.values()) port.close();
      ports.clear();
    },
  };
}

/** Opens an ECU's end of a bus. */
export function openIsoTpEndpoint(options: IsoTpEndpointOptions): DiagnosticEndpoint {
  const { bus, timer, settings, onLost, testers } = options;
  const parameters = isoTpParameters(settings);
  const ports = testers.map((address) => ({
    address,
    port: new IsoTpPort({ bus, timer, address: mirrorAddress(address), parameters }),
  }));
  return {
    messageMaxBytes: parameters.messageMaxBytes,
    serve: (handler) => {
      const ends = ports.map(({ address, port }) =>
        port.listen({
          message: (bytes, isFunctional) => handler(request(port, address, bytes, isFunctional)),
          lost: (fault) => onLost?.(fault, address),
        }),
      );
      return () => {
        for (const end of ends) end();
      };
    },
    close: async () => {
      for (const { port } of ports) port.close();
    },
  };
}

function createChannel(
  ports: readonly IsoTpPort[],
  messageMaxBytes: number,
  send: (port: IsoTpPort, message: Uint8Array) => Promise<void>,
): DiagnosticChannel {
  const ends = new Set<() => void>();
  let isClosed = false;
  return {
    messageMaxBytes,
    send: async (message) => {
      const [first] = ports;
      if (isClosed || first === undefined) {
        throw new IsoTpFault('CLOSED', 'Cannot send message: the channel was closed');
      }
      await send(first, message);
    },
    listen: (listener) => {
      const stops = ports.map((port) => port.listen({ message: listener }));
      const end = (): void => {
        for (const stop of stops) stop();
        ends.delete(end);
      };
      ends.add(end);
      return end;
    },
    close: async () => {
      isClosed = true;
      for (const end of ends) end();
    },
  };
}

function request(
  port: IsoTpPort,
  address: IsoTpAddress,
  bytes: Uint8Array,
  isFunctional: boolean,
): DiagnosticRequest {
  return {
    tester: address.tester,
    isFunctional,
    bytes,
    respond: (message) => port.send(message),
  };
}

function keyOf({ isExtended, tx, rx }: IsoTpAddress): string {
  return [isExtended, tx.id, tx.prefix, rx.id, rx.prefix].join();
}

function ignore(): void {
  // Somebody else hears it.
}
