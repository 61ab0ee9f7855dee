/**
 * A bus that is a multicast group: every process that joins it hears every frame. The wire is that of
 * python-can's `udp_multicast`, so that its tools join in. For workbenches: whoever is on the network is
 * on the bus, and nothing keeps the speed of a real one.
 */
import { createSocket, type RemoteInfo, type SocketOptions } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import {
  CanFault,
  decodePythonCan,
  encodePythonCan,
  PYTHON_CAN_GROUP,
  PYTHON_CAN_PORT,
} from '@immota/bus';
import { bindSocket, createDatagramBus, type TunnelBus } from './datagram-bus.ts';
import { RECEIVE_BUFFER_BYTES } from './limits.ts';

/** Which group, and over which interface. */
export interface UdpMulticastOptions {
  /** Of IPv4 or IPv6; by default that of python-can for IPv4. */
  readonly group?: string | undefined;
  readonly port?: number | undefined;
  /** An address of the interface, or for IPv6 `::%` and its name; by default the system chooses. */
  readonly interfaceAddress?: string | undefined;
  /** How many routers a frame passes; by default it stays in the network. */
  readonly hopLimit?: number | undefined;
}

/**
 * Joins the group.
 *
 * @throws CanFault DRIVER_FAILED.
 */
export async function openUdpMulticast(options: UdpMulticastOptions = {}): Promise<TunnelBus> {
  const { group = PYTHON_CAN_GROUP, port = PYTHON_CAN_PORT } = options;
  const { interfaceAddress, hopLimit = 1 } = options;
  const shared: SocketOptions = { type: isIPv6(group) ? 'udp6' : 'udp4' };
  const receiver = createSocket({
    ...shared,
    reuseAddr: true,
    recvBufferSize: RECEIVE_BUFFER_BYTES,
  });
  // Bound to the group where that can be, so that other groups at this port stay out.
  const address = process.platform === 'win32' ? undefined : group;
  await bindSocket(receiver, { port, address });
  // A socket of its own: by its port we know the frames that are ours.
  const sender = createSocket(shared);
  await bindSocket(sender, { port: 0 });
  try {
    receiver.addMembership(group, interfaceAddress);
    sender.setMulticastTTL(hopLimit);
    sender.setMulticastLoopback(true);
    if (interfaceAddress !== undefined) sender.setMulticastInterface(interfaceAddress);
  } catch (error) {
    receiver.close();
    sender.close();
    throw new CanFault('DRIVER_FAILED', `Cannot join group: ${group}`, { cause: error });
  }
  const own = sender.address().port;
  const ownAddresses = new Set(
    Object.values(networkInterfaces()).flatMap((each) => each?.map((entry) => entry.address)),
  );
  return createDatagramBus(
    { sender, receiver, to: { address: group, port } },
    {
      encode: encodePythonCan,
      decode: (datagram) => {
        const frame = decodePythonCan(datagram);
        return { frames: frame === undefined ? [] : [frame], lost: 0 };
      },
      isFromPeer: (from: RemoteInfo) => from.port !== own || !ownAddresses.has(withoutZone(from)),
    },
  );
}

function withoutZone({ address }: RemoteInfo): string {
  return address.replace(/%.*$/, '');
}
