/**
 * Where webhooks may go: public addresses, by TLS. What an administrator types must not make this server knock on
 * doors inside its own network, or ask a cloud for its credentials {CWE-918}.
 */
import { lookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { CloudFault } from '../fault.ts';

/** Ports on which receivers listen; others only where the host is on the list. */
const PORTS: ReadonlySet<string> = new Set(['', '443', '8443']);

const CLOSED_IPV4: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
/** Of what is routed at all: tunnels that lead to IPv4, and documentation. */
const CLOSED_IPV6: readonly (readonly [network: string, prefix: number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const closed = new BlockList();
for (const [network, prefix] of CLOSED_IPV4) closed.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of CLOSED_IPV6) closed.addSubnet(network, prefix, 'ipv6');
const routed = new BlockList();
routed.addSubnet('2000::', 3, 'ipv6');

/** Tells whether an address is anybody's on the Internet. */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 4) return !closed.check(address, 'ipv4');
  // Whatever maps, embeds or shortens an IPv4 address lies outside of what is routed, or is closed by name.
  return version === 6 && routed.check(address, 'ipv6') && !closed.check(address, 'ipv6');
}

/**
 * Checks an address before anything is sent there.
 *
 * @param allow - hosts, or `host:port`, that may be reached though they are not public, and without TLS.
 * @throws CloudFault WEBHOOK_ADDRESS.
 */
export function checkReachable(text: string, allow: readonly string[]): URL {
  const url = URL.parse(text);
  if (url === null) throw refused('it is no URL');
  if (isAllowed(url, allow)) {
    if (url.protocol === 'https:' || url.protocol === 'http:') return url;
    throw refused('http or https expected');
  }
  if (url.protocol !== 'https:') throw refused('https expected');
  if (url.username !== '' || url.password !== '') throw refused('it holds a password');
  if (!PORTS.has(url.port)) throw refused('port 443 or 8443 expected');
  const literal = bareHost(url);
  if (isIP(literal) !== 0 && !isPublicAddress(literal)) throw refused('it is no public address');
  return url;
}

/**
 * Makes the look-up with which a connection is made: what a name resolves to is checked at the moment it is used,
 * so that it cannot change in between.
 */
export function guardedLookup(url: URL, allow: readonly string[]): LookupFunction {
  const isOpen = isAllowed(url, allow);
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error !== null) {
        callback(error, '', 0);
        return;
      }
      const [first] = addresses;
      // One that is not public among several is a trap.
      const isSafe = isOpen || addresses.every(({ address }) => isPublicAddress(address));
      if (first === undefined || !isSafe) {
        callback(refused('it resolves to no public address'), '', 0);
      } else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

function isAllowed(url: URL, allow: readonly string[]): boolean {
  return allow.includes(url.hostname) || allow.includes(url.host);
}

function bareHost({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

function refused(why: string): CloudFault {
  return new CloudFault('WEBHOOK_ADDRESS', `Cannot send webhooks there: ${why}`);
}
