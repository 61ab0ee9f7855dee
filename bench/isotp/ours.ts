/**
 * Both ends of ISO-TP without a bus: what the protocol itself costs. Prints megabytes per CPU second.
 *
 * Usage: node ours.ts classic|fd
 */
import { IsoTpLink, isoTpParameters, mirrorAddress, normalAddress } from '@immota/bus';

const BYTES = 32_000_000;
const isFd = process.argv[2] === 'fd';
const messageBytes = isFd ? 65_536 : 4095;
const address = normalAddress({ txId: 0x7e0, rxId: 0x7e8 });
const parameters = isoTpParameters({ isFd, messageMaxBytes: messageBytes });
const links = [
  new IsoTpLink(address, parameters),
  new IsoTpLink(mirrorAddress(address), parameters),
] as const;
const message = Uint8Array.from({ length: messageBytes }, (_, index) => index * 31);

type Outputs = ReturnType<IsoTpLink['handle']>;

let nowMs = 0;
let receivedBytes = 0;
run(BYTES / 8);
receivedBytes = 0;
const before = process.cpuUsage();
run(BYTES);
const { user, system } = process.cpuUsage(before);
process.stdout.write(String(receivedBytes / (user + system)));

function run(bytes: number): void {
  while (receivedBytes < bytes) {
    nowMs += 1;
    settle(0, links[0].handle({ kind: 'send', message }, nowMs));
  }
}

/** Hands each frame over, and tells that it was sent, until nothing more comes. */
function settle(from: 0 | 1, first: Outputs): void {
  const waiting: (readonly [0 | 1, Outputs])[] = [[from, first]];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const [sender, outputs] = next;
    const receiver = sender === 0 ? 1 : 0;
    for (const output of outputs) {
      if (output.kind === 'received') receivedBytes += output.message.length;
      if (output.kind !== 'send') continue;
      const { frame, token } = output;
      waiting.push([receiver, links[receiver].handle({ kind: 'frame', frame }, nowMs)]);
      waiting.push([sender, links[sender].handle({ kind: 'sent', token }, nowMs)]);
    }
  }
}
