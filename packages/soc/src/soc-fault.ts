import { Fault } from '@immota/base';

/** Why the security operations centre refused. */
export type SocFaultCode =
  /** A rule file that is no YAML, or no rule of Sigma 2.1. */
  | 'RULE_MALFORMED'
  /** A rule that says something which this engine cannot carry out: it is never carried out by half. */
  | 'RULE_UNSUPPORTED'
  /** A rule, or a set of them, beyond a limit: exhaustion. */
  | 'RULE_LIMIT'
  /** A state that was kept for another set of rules. */
  | 'STATE_MISMATCH';

/** A refusal of this package. */
export class SocFault extends Fault<SocFaultCode> {
  override readonly name = 'SocFault';
  /** Every reason at once, in words: whoever mends a rule should not have to come back ten times. */
  readonly reasons: readonly string[];

  constructor(
    code: SocFaultCode,
    message: string,
    options: ErrorOptions & { readonly reasons?: readonly string[] } = {},
  ) {
    super(code, message, options);
    this.reasons = options.reasons ?? [message];
  }
}
