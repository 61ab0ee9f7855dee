/** What an approval of a technician may take, with the reasons. */

/** Bytes of an approval: a chain of four certificates and a page of text. */
export const APPROVAL_MAX_BYTES = 32_768;
/** Bytes of what a technician is shown: 256 ECUs, and tasks in several languages. */
export const REQUEST_MAX_BYTES = 1_048_576;
/** How long an approval may be good: one day in the workshop. */
export const APPROVAL_MAX_HOURS = 24;
/** Approvals that are taken in one look at the inbox: whoever floods it waits for the next. */
export const INBOX_MAX = 8;
/** Approvals that are remembered as used, to tell a replay from a stranger; each stop has its own challenge. */
export const USED_MAX = 64;
/** Tasks of one update. */
export const TASKS_MAX = 64;
/** Languages of one task, and characters of each. */
export const LANGUAGES_MAX = 64;
/** See LANGUAGES_MAX. */
export const TASK_MAX_CHARACTERS = 2000;
/** ECUs of one task: a vehicle has at most 256. */
export const TASK_ECUS_MAX = 256;
/** Random bytes of a challenge. */
export const CHALLENGE_LENGTH_BYTES = 32;
