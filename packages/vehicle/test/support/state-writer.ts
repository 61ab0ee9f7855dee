/** Writes pairs of equal numbers into a state, and kills itself at the n-th write. */
import { openState, type StateValue } from '@immota/vehicle';

const [path = '', writes = '1'] = process.argv.slice(2);
let left = Number(writes);
const state = openState(path, {
  onWrite: () => {
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  },
});
const count = (name: string): StateValue<number> => ({
  name,
  encode: (value) => value,
  decode: (json) => (typeof json === 'number' ? json : undefined),
});
for (let number = (state.values.load(count('left')) ?? 0) + 1; ; number += 1) {
  state.transaction(() => {
    state.values.save(count('left'), number);
    state.values.save(count('right'), number);
  });
}
