/** What a place on a network may cost, each figure with its reason. */

/** Messages of one link that wait to be sent: UDS asks one thing at a time, and says once that it is alive. */
export const SEND_QUEUE_MAX = 16;
/** ECUs that one tester speaks with: more than a vehicle has; each costs one idle link. */
export const LINKS_MAX = 256;
/** Datagrams that the system may hold for us: some milliseconds of the fastest bus. */
export const RECEIVE_BUFFER_BYTES = 1_048_576;
/** Frames handed to a socket that are not gone yet; beyond it the network is jammed. */
export const FRAMES_IN_FLIGHT_MAX = 256;
/** Frames of ours in the kernel at one time: its queue holds ten, for all programs together. */
export const KERNEL_FRAMES_MAX = 4;
/** A frame that is not on the bus by then never will be: nobody acknowledges, or the controller is off. */
export const ECHO_TIMEOUT_MS = 1000;
