/** Cells of hardware against what ran before, arranged and graded. */

/** What is known of one cell. */
export interface FailureCell {
  readonly hardwareId: string;
  readonly source: string;
  readonly outcomes: number;
  readonly failures: number;
}

/** Arranges cells: the hardware with most failures first, what ran before by name. */
export function arrangeCells<Cell extends FailureCell>(
  cells: readonly Cell[],
): {
  readonly hardware: readonly string[];
  readonly sources: readonly string[];
  readonly cellAt: (hardwareId: string, source: string) => Cell | undefined;
} {
  const failures = new Map<string, number>();
  for (const cell of cells) {
    failures.set(cell.hardwareId, (failures.get(cell.hardwareId) ?? 0) + cell.failures);
  }
  const hardware = [...failures].toSorted(([, one], [, other]) => other - one).map(([id]) => id);
  const sources = [...new Set(cells.map(({ source }) => source))].toSorted();
  return {
    hardware,
    sources,
    cellAt: (hardwareId, source) =>
      cells.find((cell) => cell.hardwareId === hardwareId && cell.source === source),
  };
}

/** Grades a cell: 0 nothing failed, 1 under 1 %, 2 under 5 %, 3 above. */
export function heatOf({ failures, outcomes }: FailureCell): 0 | 1 | 2 | 3 {
  if (failures === 0 || outcomes === 0) return 0;
  const share = failures / outcomes;
  return share < 0.01 ? 1 : share < 0.05 ? 2 : 3;
}

/** Finds the cell with the largest share of failures, of those where anything failed. */
export function worstOf<Cell extends FailureCell>(cells: readonly Cell[]): Cell | undefined {
  return cells
    .filter(({ failures, outcomes }) => failures > 0 && outcomes > 0)
    .toSorted((one, other) => other.failures / other.outcomes - one.failures / one.outcomes)[0];
}
