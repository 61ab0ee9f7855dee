/** The security operations centre: events in, findings and incidents out, and what is done about them. */
export { type CorrelatorCounts, type Finding, type KeptGroup } from './detect/correlator.ts';
export { DetectionEngine, type RuleTestResult, testRules } from './detect/detection-engine.ts';
export { parseRules } from './detect/parse-rules.ts';
export type { FieldValue, LogSource, SecurityEvent } from './detect/security-event.ts';
export type { Level, SigmaRule } from './detect/sigma-rule.ts';
export { SocFault, type SocFaultCode } from './soc-fault.ts';
