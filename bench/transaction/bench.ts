/** The transaction of a vehicle with six ECUs: as its Primary plans it, against one ECU after the other. */
import type { BenchResult, Row } from '../row.ts';
import {
  BenchVehicle,
  busiestBus,
  type Foretold,
  hasOneBank,
  type MeasuredUpdate,
} from './vehicle.ts';

/**
 * Of the time that one after the other takes. It cannot be much less here: ECUs with one bank are written
 * only when the others are ready, so the slowest of either kind are waited for one behind the other.
 */
const PLANNED_SHARE = 0.6;
/** Of the middle of what was foretold: whoever waits has planned with it. */
const FORETOLD_SHARE = 1.5;

/** See the head of the file. */
export async function benchTransaction(): Promise<BenchResult> {
  const vehicle = new BenchVehicle();
  try {
    await vehicle.start();
    // First, since a Primary learns from transfers that nothing else goes on beside.
    const sequential = await vehicle.update('sequential');
    const planned = await vehicle.update('planned');
    if (planned.foretold === undefined) throw new TypeError('nothing was foretold');
    return {
      rows: [plannedRow(planned, sequential), foretoldRow(planned.seconds, planned.foretold)],
    };
  } finally {
    await vehicle.close();
  }
}

function plannedRow(planned: MeasuredUpdate, sequential: MeasuredUpdate): Row {
  const { name, seconds } = busiestBus();
  return {
    id: 'transaction-six-ecus',
    what: 'six ECUs on Ethernet and two CAN buses to new images, from the first transfer to the last confirmation',
    ours: planned.seconds,
    unit: 's by the clock',
    peer: 'one ECU after the other',
    peers: sequential.seconds,
    ratio: planned.seconds / sequential.seconds,
    aim: { atMost: PLANNED_SHARE },
    note: `buses and flash are simulated, at the speed of their bit rates and data sheets; images boot at once, and ECUs are asked again after a second. The bus "${name}" needs ${seconds.toFixed(1)} s for its images by its bits; the slowest ECU with two banks and the slowest with one, which waits for those, need ${slowestSeconds(sequential).toFixed(1)} s for theirs alone`,
  };
}

/** The least that any plan takes for its transfers, by what each took alone. */
function slowestSeconds({ transferSeconds }: MeasuredUpdate): number {
  const slowest = (isSingle: boolean): number =>
    Math.max(
      ...[...transferSeconds]
        .filter(([ecu]) => hasOneBank(ecu) === isSingle)
        .map(([, seconds]) => seconds),
    );
  return slowest(false) + slowest(true);
}

function foretoldRow(seconds: number, { low, likely, high }: Foretold): Row {
  const isWithin = seconds >= low && seconds <= high;
  return {
    id: 'transaction-foretold',
    what: 'the same as planned, against what the Primary foretold by one earlier update',
    ours: seconds,
    unit: 's by the clock',
    peer: 'foretold',
    peers: likely,
    ratio: seconds / likely,
    aim: { atMost: FORETOLD_SHARE },
    note: `${isWithin ? 'within' : 'outside'} the range of ${low.toFixed(1)} to ${high.toFixed(1)} s that was foretold`,
  };
}
