/** Bounds of the detection engine. */

/** A rule file: the longest public one has some 30 kB. */
export const RULE_FILE_MAX_BYTES = 262_144;
/** Documents in one file: a correlation with the rules that it joins. */
export const RULE_DOCUMENTS_MAX = 64;
/** Rules of one engine: three times the public set. */
export const RULES_MAX = 12_000;
/** Values of all fields of one rule. */
export const RULE_VALUES_MAX = 10_000;
/** How deep a condition nests. */
export const CONDITION_DEPTH_MAX = 64;
/** Names and signs in a condition. */
export const CONDITION_TOKENS_MAX = 1000;
/** A regular expression: it runs in linear time, yet not for nothing. */
export const REGEX_MAX_LENGTH = 2000;
/** The longest window: three months. */
export const TIMESPAN_MAX_MS = 92 * 86_400_000;
/** Groups that one correlation keeps; beyond them the oldest is forgotten, and counted. */
export const GROUPS_MAX = 1_000_000;
/** Entries of one group: conditions ask for hundreds at most. */
export const GROUP_ENTRIES_MAX = 4096;
