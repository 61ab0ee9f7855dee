declare const brand: unique symbol;

/**
 * A value of type `Base` that has passed the checks its name stands for.
 *
 * Only the function that makes those checks may write `as` with a brand. The documentation of a
 * brand lists what holding one tells you.
 */
export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };
