declare const brand: unique symbol;

/**
 * A value of type `Base` that has passed the checks its name stands for.
 *
 * Only the function that makes those checks may write `as` with a brand. The documentation of a
 * brand lists what holding one tells you. A brand may be the base of another, whose values then have
 * passed both: that is why names are members here, and not the value of one, which can be one name alone.
 */
export type Brand<Base, Name extends string> = Base & {
  readonly [brand]: { readonly [Own in Name]: true };
};
