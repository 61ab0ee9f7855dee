/** The logarithm of the beta function, as far as sequential tests need it. */

/** Lanczos' approximation with g = 7 and nine coefficients: 15 digits for positive arguments. */
const LANCZOS_G = 7;
const LANCZOS: readonly number[] = [
  0.999_999_999_999_809_93, 676.520_368_121_885_1, -1259.139_216_722_402_8, 771.323_428_777_653_1,
  -176.615_029_162_140_6, 12.507_343_278_686_905, -0.138_571_095_265_720_12,
  9.984_369_578_019_572e-6, 1.505_632_735_149_311_6e-7,
];

/**
 * Computes ln B(a, b).
 *
 * @param a - over 0.
 * @param b - over 0.
 */
export function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/** {@source NIST DLMF 5.2.1}; for a positive argument. */
function logGamma(x: number): number {
  // Below 1/2 the recurrence leads to where the approximation holds.
  if (x < 0.5) return logGamma(x + 1) - Math.log(x);
  const shifted = x - 1;
  let sum = LANCZOS[0] ?? 0;
  for (let index = 1; index < LANCZOS.length; index += 1) {
    sum += (LANCZOS[index] ?? 0) / (shifted + index);
  }
  const t = shifted + LANCZOS_G + 0.5;
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(t) - t + Math.log(sum);
}
