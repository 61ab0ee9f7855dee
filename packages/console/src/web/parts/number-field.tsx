import { NumberInput } from '@mantine/core';
import type { ReactNode } from 'react';

/** A number within bounds; what is no number changes nothing. */
export function NumberField({
  label,
  value,
  onChange,
  min,
  max,
  digits = 0,
}: {
  readonly label: string;
  readonly value: number;
  readonly onChange: (value: number) => void;
  readonly min: number;
  readonly max: number;
  readonly digits?: number;
}): ReactNode {
  return (
    <NumberInput
      label={label}
      size="xs"
      min={min}
      max={max}
      clampBehavior="blur"
      decimalScale={digits}
      step={digits === 0 ? 1 : 0.5}
      value={value}
      onChange={(next) => {
        if (typeof next === 'number') onChange(next);
      }}
    />
  );
}
