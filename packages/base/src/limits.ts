/** Nesting of JSON from outside. Uptane's deepest document needs 9; a limit stops stack attacks. */
export const JSON_DEPTH_MAX = 32;
