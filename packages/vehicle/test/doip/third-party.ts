/** Looks for programs of others that tests talk to; whoever has none of them is told so by name. */
import { spawnSync } from 'node:child_process';

/** Distributions put their modules beside their own interpreter, which need not be the first one. */
const INTERPRETERS = ['python3', '/usr/bin/python3'];
const WITH_SCAPY = ['-c', 'import scapy.contrib.automotive.doip'];

/** An interpreter that has Scapy with its DoIP; undefined where there is none. */
export function findScapy(): string | undefined {
  return INTERPRETERS.find((name) => spawnSync(name, WITH_SCAPY).status === 0);
}

/** True where tshark runs. */
export function hasTshark(): boolean {
  return spawnSync('tshark', ['--version']).status === 0;
}
