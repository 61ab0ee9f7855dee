/** Why something in the vehicle refused or failed. */
import { Fault } from '@immota/base';

/** What the refusal was about. Those that tell of an attack name it. */
export type VehicleFaultCode =
  /** The folder from the factory lacks a file, or one of them cannot be read. */
  | 'BUNDLE_MALFORMED'
  /** The state file is damaged, or of a version that this code does not know. */
  | 'STATE_CORRUPT'
  /** Another process holds the state: two Primaries would answer for one vehicle. */
  | 'STATE_BUSY'
  /** A key file of an ECU is damaged, or open to others: a key that may be known. */
  | 'ECU_KEY'
  /** No answer, or the connection broke: denial of service, or a tunnel. */
  | 'NETWORK'
  /** The server is not the one that the factory's roots vouch for: man in the middle. */
  | 'SERVER_UNTRUSTED'
  /** The server answers with an error of its own, or with nonsense. */
  | 'HTTP_STATUS'
  /** The server has not what we ask for, or does not let us have it. */
  | 'HTTP_REFUSED'
  /** The server sends us elsewhere, which no trusted server does: diversion. */
  | 'REDIRECT'
  /** More bytes than trusted metadata or a limit allows: endless data. */
  | 'ENDLESS_DATA'
  /** Bytes come slower than the floor, or not at all: slow retrieval. */
  | 'SLOW_RETRIEVAL'
  /** No attested time came, and the last one is too long ago: freeze. */
  | 'TIME_UNAVAILABLE'
  /** The Director does not accept our ECUs. */
  | 'REGISTRATION_REFUSED'
  /** The new certificate is not one that our peers would trust, or is for another key. */
  | 'ENROLMENT_REFUSED'
  /** The image is larger than downloads may be. */
  | 'DISK_QUOTA'
  /** The disk has not enough room. */
  | 'DISK_FULL'
  /** No source gave the bytes that signed metadata describe. */
  | 'DOWNLOAD_FAILED'
  /** An ECU does not answer. */
  | 'ECU_UNREACHABLE'
  /** An ECU answers what no honest ECU would: a report for another, by another key, or not fresh. */
  | 'ECU_UNTRUSTED'
  /** An ECU refused metadata or an image that was handed to it. */
  | 'ECU_REFUSED'
  /** An ECU did not run the new image after it was activated. */
  | 'INSTALL_FAILED'
  /** A node in the vehicle breaks the rules of the link: flooding, or a stranger's machine. */
  | 'LINK_PROTOCOL'
  /** Too many attempts at the same assignment: reinstalling for ever. */
  | 'ATTEMPTS_EXHAUSTED'
  /** The image came encrypted and no key for this ECU with it, or one by an unknown method. */
  | 'IMAGE_KEY'
  /** A slot holds nothing, or nothing whole, where an image was expected. */
  | 'SLOT_EMPTY'
  /** The other slot holds what a trial may have to go back to: it must not be overwritten. */
  | 'ON_TRIAL'
  /** There is no trial that could be made final or taken back. */
  | 'NOT_ON_TRIAL'
  /** The ECU has one bank: its older image has to be written again. */
  | 'CANNOT_REVERT'
  /** The vehicle is not in a condition for the step: it goes on when it is. */
  | 'CONDITIONS'
  /** What the campaign asks for is not so: it waits until it is. */
  | 'CAMPAIGN_CONDITIONS'
  /** What the campaign asks for cannot be read: nothing is begun on a guess. */
  | 'POLICY_UNREADABLE'
  /** It is outside the hours in which the campaign lets ECUs change over. */
  | 'WINDOW_CLOSED'
  /** The campaign does not let images be fetched by this network. */
  | 'NETWORK_METERED'
  /** The campaign has ended: nothing new is begun. */
  | 'CAMPAIGN_ENDED'
  /** An ECU with one bank would be written, and its older image is not there to be brought back. */
  | 'NO_WAY_BACK'
  /** The owner said no. */
  | 'CONSENT_DECLINED'
  /** The owner has not said yes yet. */
  | 'CONSENT_PENDING'
  /** A technician has to let the update go on, and has not yet. */
  | 'TECHNICIAN_PENDING'
  /** A technician has said no: what was begun is taken back. */
  | 'TECHNICIAN_REFUSED'
  /** The folder of an offline update is not one. */
  | 'OFFLINE_MALFORMED'
  /** The Primary has been closed. */
  | 'CLOSED';

/** Thrown by the vehicle's own code; the trust core's refusals pass through as they are. */
export class VehicleFault extends Fault<VehicleFaultCode> {
  override readonly name = 'VehicleFault';
}
